//! Has the migrations embedded anew when one of them changes: the macro that embeds them cannot ask for it.

fn main() {
    println!("cargo::rerun-if-changed=../../../migrations/postgres");
}
