//! Has the migrations embedded anew when one of them changes: the macro that embeds them cannot ask for it.

#[expect(clippy::print_stdout, reason = "how a build script talks to cargo")]
fn main() {
    println!("cargo::rerun-if-changed=../../../migrations/sqlite");
}
