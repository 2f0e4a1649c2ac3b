//! The pages in process, over the memory store: what is shown to whom, and what forms do. A test asks as a user with a role, by a
//! personal access token in the place of a session.

#[cfg(test)]
mod account;
#[cfg(test)]
mod actions;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod environments;
#[cfg(test)]
mod instance;
#[cfg(test)]
mod languages;
#[cfg(test)]
mod overview;
#[cfg(test)]
mod people;
#[cfg(test)]
mod projects;
#[cfg(test)]
mod signing_in;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod tokens_of_projects;
#[cfg(test)]
mod webhooks;
