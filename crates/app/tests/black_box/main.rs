//! The built program from outside: the real binary, real databases, real HTTP. One module per promise; what they
//! share comes first. All in one program, so that it is linked once.

#[cfg(test)]
mod command_line;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod server;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod wire;

#[cfg(test)]
mod golden;

#[cfg(test)]
mod golden_project_tokens;
