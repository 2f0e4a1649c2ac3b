//! Listening sockets: bound before the store is opened, so that a start on an address in use leaves nothing behind, and
//! listened on once the server can answer.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use socket2::{Domain, SockAddr, Socket, Type};

use super::address::Address;

/// Connections that can wait to be accepted while all workers are busy.
const BACKLOG: i32 = 1_024;
/// The buffers of the kernel for each connection, in bytes; Linux takes twice as much. Its own limit is megabytes, and a client
/// that does not read its responses makes it hold them.
const KERNEL_BUFFER: usize = 64 * 1024;
/// How long the kernel tries to deliver a response to a client that acknowledges nothing, or whose window stays closed.
const MAX_UNACKNOWLEDGED: Duration = Duration::from_secs(60);
/// The mode of the file of a Unix domain socket: its user and group may connect.
const SOCKET_MODE: u32 = 0o660;

/// The setting that an address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// `server.listen` and `server.port`.
    Listen,
    /// `server.verify_listen`.
    VerifyListen,
    /// `metrics.listen`.
    Metrics,
}

impl Setting {
    /// Returns what to change to listen on another address.
    fn of_address(self) -> &'static str {
        match self {
            Self::Listen => "--listen or server.listen",
            Self::VerifyListen => "server.verify_listen",
            Self::Metrics => "metrics.listen",
        }
    }

    /// Returns what to change to listen on another port.
    fn of_port(self) -> &'static str {
        match self {
            Self::Listen => "--port or server.port",
            other => other.of_address(),
        }
    }
}

/// A socket that is bound to its address.
#[derive(Debug)]
pub(crate) struct BoundSocket {
    socket: Socket,
    address: Address,
    setting: Setting,
    file: Option<SocketFile>,
}

/// A socket that clients can connect to.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl BoundSocket {
    /// Binds an address. The file that a process which has ended left behind for a Unix domain socket is replaced.
    ///
    /// # Errors
    /// Says what the operator can do, such as where the address is in use.
    pub(crate) fn bind(address: &Address, setting: Setting) -> anyhow::Result<Self> {
        match address {
            Address::Tcp(tcp) => bind_tcp(*tcp, setting).map_err(|error| unbound(*tcp, setting, error)),
            Address::Unix(path) => bind_unix(path, setting),
        }
    }

    /// Takes a socket that the service manager listens on.
    pub(super) fn of_tcp(listener: TcpListener, setting: Setting) -> io::Result<Self> {
        let address = Address::Tcp(listener.local_addr()?);
        let socket = Socket::from(listener);
        limit(&socket)?;
        Ok(Self { socket, address, setting, file: None })
    }

    /// Takes a Unix domain socket that the service manager listens on. Its file belongs to the service manager.
    pub(super) fn of_unix(listener: UnixListener, setting: Setting) -> io::Result<Self> {
        let path = listener.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
        Ok(Self { socket: listener.into(), address: Address::Unix(path), setting, file: None })
    }

    /// Returns its address, with the port that was free if the port was 0.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Starts to listen. The file of a Unix domain socket exists until the second value is dropped.
    ///
    /// # Errors
    /// If another process has begun to listen on the address since it was bound.
    pub(crate) fn listen(self) -> anyhow::Result<(Listener, Option<SocketFile>)> {
        let Self { socket, address, setting, file } = self;
        let listening = socket.listen(BACKLOG);
        Ok(match address {
            Address::Tcp(tcp) => {
                listening.map_err(|error| unbound(tcp, setting, error))?;
                (Listener::Tcp(socket.into()), file)
            }
            Address::Unix(_) => {
                listening.with_context(|| format!("{address} cannot be listened on"))?;
                (Listener::Unix(socket.into()), file)
            }
        })
    }
}

fn bind_tcp(address: SocketAddr, setting: Setting) -> io::Result<BoundSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // As the standard library does: connections of a server before this one may still be closing.
    socket.set_reuse_address(true)?;
    limit(&socket)?;
    socket.bind(&address.into())?;
    let bound = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok(BoundSocket { socket, address: Address::Tcp(bound), setting, file: None })
}

/// Limits what the kernel holds for each connection. Connections inherit it from the socket that they are accepted from.
fn limit(socket: &Socket) -> io::Result<()> {
    socket.set_send_buffer_size(KERNEL_BUFFER)?;
    socket.set_recv_buffer_size(KERNEL_BUFFER)?;
    socket.set_tcp_user_timeout(Some(MAX_UNACKNOWLEDGED))
}

fn unbound(address: SocketAddr, setting: Setting, error: io::Error) -> anyhow::Error {
    let (ip, of_address, of_port) = (address.ip(), setting.of_address(), setting.of_port());
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("{address} is in use: stop the program that uses it, or choose another port ({of_port})")
        }
        io::ErrorKind::AddrNotAvailable => {
            anyhow!("this machine has no address {ip}: choose another ({of_address})")
        }
        io::ErrorKind::PermissionDenied => {
            anyhow!("{address} may not be used by this user: choose a port from 1024 up ({of_port})")
        }
        _ => anyhow::Error::new(error).context(format!("{address} cannot be listened on ({of_address})")),
    }
}

fn bind_unix(path: &Path, setting: Setting) -> anyhow::Result<BoundSocket> {
    remove_stale(path, setting)?;
    let failed = || format!("the socket {} cannot be made", path.display());
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?).with_context(failed)?;
    let file = SocketFile::of(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE)).with_context(failed)?;
    // At once: another process would take a socket that does not listen for one that was left behind.
    socket.listen(BACKLOG).with_context(failed)?;
    Ok(BoundSocket { socket, address: Address::Unix(path.to_owned()), setting, file: Some(file) })
}

/// Removes the file of a socket that no process listens on.
fn remove_stale(path: &Path, setting: Setting) -> anyhow::Result<()> {
    let setting = setting.of_address();
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("the socket {shown} cannot be looked at")),
        Ok(file) if !file.file_type().is_socket() => {
            bail!("{shown} is there and is no socket: remove it, or choose another path ({setting})")
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => {
            bail!("unix:{shown} is in use: stop the program that uses it, or choose another path ({setting})")
        }
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).with_context(|| format!("the stale socket {shown} cannot be removed"))
        }
        Err(error) => {
            Err(error).with_context(|| format!("the program that uses unix:{shown} cannot be asked"))
        }
    }
}

/// The file of a Unix domain socket, which is removed with this.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), inode: fs::symlink_metadata(path)?.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Unless the file is another process's by now.
        if fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;

    use super::*;

    fn bind(text: &str) -> anyhow::Result<BoundSocket> {
        BoundSocket::bind(&text.parse().expect("an address"), Setting::Listen)
    }

    #[test]
    fn an_address_that_cannot_be_used_is_reported_with_its_setting() {
        let (listener, _) = bind("127.0.0.1:0").expect("free").listen().expect("it listens");
        let Listener::Tcp(listener) = listener else { panic!("TCP") };
        let used = listener.local_addr().expect("its address");
        // Of the networks for documentation (RFC 5737), so no machine has it.
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 0));
        for (setting, of_port, of_address) in [
            (Setting::Listen, "(--port or server.port)", "(--listen or server.listen)"),
            (Setting::VerifyListen, "(server.verify_listen)", "(server.verify_listen)"),
            (Setting::Metrics, "(metrics.listen)", "(metrics.listen)"),
        ] {
            let refused = |address| {
                BoundSocket::bind(&Address::Tcp(address), setting).expect_err("it cannot be used").to_string()
            };
            let use_other = "in use: stop the program that uses it, or choose another port";
            assert_eq!(refused(used), format!("{used} is {use_other} {of_port}"));
            let no_address = "this machine has no address 192.0.2.1: choose another";
            assert_eq!(refused(elsewhere), format!("{no_address} {of_address}"));
        }
    }

    #[test]
    fn connections_inherit_small_buffers() {
        let (listener, _) = bind("127.0.0.1:0").expect("free").listen().expect("it listens");
        let Listener::Tcp(listener) = listener else { panic!("TCP") };
        let _client = std::net::TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        let (accepted, _) = listener.accept().expect("a connection");
        let accepted = SockRef::from(&accepted);
        assert_eq!(accepted.send_buffer_size().expect("its size"), 2 * KERNEL_BUFFER);
        assert_eq!(accepted.recv_buffer_size().expect("its size"), 2 * KERNEL_BUFFER);
        assert_eq!(accepted.tcp_user_timeout().expect("its limit"), Some(MAX_UNACKNOWLEDGED));
    }

    #[test]
    fn the_socket_of_a_process_that_has_ended_is_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("latchkey.sock");
        let address = format!("unix:{}", path.display());
        drop(UnixListener::bind(&path).expect("a socket that is left behind"));
        let (listener, file) = bind(&address).expect("replaced").listen().expect("it listens");
        UnixStream::connect(&path).expect("it is the new one");
        let mode = fs::metadata(&path).expect("its file").permissions().mode();
        assert_eq!(mode & 0o777, SOCKET_MODE);

        let error = bind(&address).expect_err("in use").to_string();
        assert!(error.contains("in use") && error.contains("another path"), "{error}");
        drop((listener, file));
        assert!(!path.exists(), "it is removed at the end");
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notes");
        fs::write(&path, "text").expect("a file");
        let error = bind(&format!("unix:{}", path.display())).expect_err("no socket").to_string();
        assert!(error.contains("no socket"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("still there"), "text");
    }

    #[test]
    fn the_file_of_another_process_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("latchkey.sock");
        let bound = bind(&format!("unix:{}", path.display())).expect("bound");
        fs::remove_file(&path).expect("removed");
        let _other = UnixListener::bind(&path).expect("another process's");
        drop(bound);
        assert!(path.exists());
    }
}
