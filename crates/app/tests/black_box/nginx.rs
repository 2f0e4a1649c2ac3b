//! nginx, configured exactly as a document or a file of `deploy` shows, so that these are tested.

use std::{fs, process::Command};

use tempfile::TempDir;

use crate::neighbors::{self, NeighborProcess};

/// Starts nginx with the document's block for it. `listen` is the directive in the document; the other addresses in it are
/// given with the real ones.
pub(crate) fn start(
    directory: &TempDir,
    document: &str,
    (listen, addresses): (&str, &[(&str, String)]),
) -> NeighborProcess {
    let block = addresses.iter().fold(block_of(document), |block, (shown, real)| put(&block, shown, real));
    NeighborProcess::start("nginx", |port| {
        let block = put(&block, listen, &format!("listen 127.0.0.1:{port};"));
        command(directory, &format!("access_log off;\n{block}"))
    })
}

/// Returns the command that runs nginx with this text in its `http` block.
pub(crate) fn command(directory: &TempDir, text: &str) -> Command {
    let place = directory.path().display().to_string();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {place}/{what};\n"))
        .concat();
    // One process, so that it has the privileges of the test and ends with it.
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\n{temporary}{text}\n}}\n"
    );
    let file = directory.path().join("nginx.conf");
    fs::write(&file, configuration).expect("a configuration");
    let mut command = neighbors::command(neighbors::installed("nginx"));
    command.args(["-e", "stderr", "-p", &place, "-c"]).arg(file);
    command
}

fn block_of(document: &str) -> String {
    let (_, block) = document.split_once("\n```nginx\n").expect("a block for nginx");
    block.split_once("\n```\n").expect("its end").0.to_owned()
}

fn put(block: &str, shown: &str, real: &str) -> String {
    assert_eq!(block.matches(shown).count(), 1, "{shown} stands once in:\n{block}");
    block.replace(shown, real)
}
