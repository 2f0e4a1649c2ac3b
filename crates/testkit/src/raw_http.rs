//! HTTP/1.1 byte by byte: an ordinary client would normalize the paths, headers and bodies that tests send.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test whose response cannot be read fails"
)]

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use serde_json::Value;

/// A server that does not respond within this time hangs.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How a request marks the end of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    None,
    Length,
    Chunked,
}

/// A request, exactly as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    framing: Framing,
    is_kept: bool,
}

impl Request {
    /// Builds a request without a body.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::None,
            is_kept: false,
        }
    }

    /// Builds a GET request.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Builds a DELETE request.
    pub fn delete(target: &str) -> Self {
        Self::new("DELETE", target)
    }

    /// Builds a POST request with a JSON body.
    pub fn post(target: &str, body: &Value) -> Self {
        Self::new("POST", target).header("content-type", "application/json").body(body.to_string())
    }

    /// Builds a PUT request with a JSON body.
    pub fn put(target: &str, body: &Value) -> Self {
        Self { method: "PUT".to_owned(), ..Self::post(target, body) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds the `Authorization` header.
    #[must_use]
    pub fn by(self, secret: &str) -> Self {
        self.header("authorization", secret)
    }

    /// Sets the body, whose length is announced.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.framing = Framing::Length;
        self
    }

    /// Sends the body in chunks, so that its length is not announced.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }

    /// The request as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut lines =
            vec![format!("{} {} HTTP/1.1", self.method, self.target), "host: latchkey.test".to_owned()];
        if !self.is_kept {
            lines.push("connection: close".to_owned());
        }
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        match self.framing {
            Framing::None => {}
            Framing::Length => lines.push(format!("content-length: {}", self.body.len())),
            Framing::Chunked => lines.push("transfer-encoding: chunked".to_owned()),
        }
        let mut bytes = format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes();
        if self.framing == Framing::Chunked {
            for chunk in self.body.chunks(64 * 1024) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }

    /// Sends the request on an open connection and reads the response. The request asks the server to close the connection, unless
    /// it is [kept](Request::kept).
    ///
    /// # Errors
    /// As [`Request::send_to`].
    pub fn exchange(&self, mut stream: impl Read + Write) -> io::Result<Response> {
        stream.write_all(&self.bytes())?;
        stream.flush()?;
        Response::read(&mut BufReader::new(stream), self.method == "HEAD")
    }

    /// Keeps the connection open after the response.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.is_kept = true;
        self
    }

    /// Sends the request on a connection of its own and reads the response, which may come before the whole body is
    /// sent.
    ///
    /// # Errors
    /// If the connection fails, or the server does not respond in time or not in HTTP/1.1.
    pub fn send_to(&self, address: SocketAddr) -> io::Result<Response> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        let mut writer = stream.try_clone()?;
        let bytes = self.bytes();
        thread::scope(|scope| {
            // A server may refuse a body before it has read all of it: then writing fails.
            scope.spawn(move || drop(writer.write_all(&bytes)));
            let response = Response::read(&mut BufReader::new(&stream), self.method == "HEAD");
            // Ends the writer; it fails where the server has closed already.
            drop(stream.shutdown(Shutdown::Both));
            response
        })
    }
}

/// A response, exactly as it came over the wire.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body; of a chunked one, the joined chunks.
    pub body: Vec<u8>,
}

impl Response {
    fn read(reader: &mut impl BufRead, is_head: bool) -> io::Result<Self> {
        let (status, headers) = loop {
            let (status, headers) = read_head(reader)?;
            if status >= 200 {
                break (status, headers);
            }
        };
        let mut response = Self { status, headers, body: Vec::new() };
        if is_head || status == 204 || status == 304 {
            return Ok(response);
        }
        if response.header("transfer-encoding") == Some("chunked") {
            response.body = read_chunks(reader)?;
        } else if let Some(length) = response.header("content-length").map(str::to_owned) {
            let length = length.parse().map_err(io::Error::other)?;
            response.body = vec![0; length];
            reader.read_exact(&mut response.body)?;
        } else {
            reader.read_to_end(&mut response.body)?;
        }
        Ok(response)
    }

    /// Returns the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the pair of name and value in the cookie that the response sets.
    pub fn cookie(&self) -> String {
        let cookie = self.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {}", self.text()));
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON; `Null` if it is empty.
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}) with status {}: {}", self.status, self.text()))
    }

    /// Returns the kind of an error object.
    pub fn kind(&self) -> String {
        self.json()["name"].as_str().unwrap_or_default().to_owned()
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let line = read_line(reader)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status line: {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok((status, headers));
        };
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&read_line(reader)?, 16).map_err(io::Error::other)?;
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..])?;
        read_line(reader)?;
        if size == 0 {
            return Ok(body);
        }
    }
}
