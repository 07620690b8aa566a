//! A small server of static files for this machine: no dependency, no upload, no log.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::{shell, site};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Port; the next free one is taken if it is in use
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Address to listen on: 0.0.0.0 shows the page to the whole network
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The profile a user gets (this is the default)
    #[arg(long, conflicts_with = "debug")]
    release: bool,
    /// cargo's dev profile: builds faster, runs slower, checks more
    #[arg(long)]
    debug: bool,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    let how = if args.debug { site::Build::Debug } else { site::Build::Quick };
    let folder = shell::target_dir()?.join("site").join(if args.debug { "debug/page" } else { "quick/page" });
    let time = site::build_timed(how, &folder)?;
    let listener = bind(&args.host, args.port)?;
    let port = listener.local_addr()?.port();
    if port != args.port {
        println!("port {} is in use, taking {port}", args.port);
    }
    let host = if args.host == "0.0.0.0" { "127.0.0.1" } else { &args.host };
    let url = format!("http://{host}:{port}/");
    println!("built in {time}. Surprisal is at {url} - drop a file into it (Ctrl-C ends this)");
    if args.open {
        open(&url);
    }
    Server::new(&folder, "/", true).run(&listener);
    Ok(())
}

/// Listens on this port or on one of the nineteen after it.
fn bind(host: &str, port: u16) -> Result<TcpListener> {
    let mut last = None;
    for next in port..=port.saturating_add(19) {
        match TcpListener::bind((host, next)) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => last = Some(error),
            Err(error) => return Err(error).with_context(|| format!("listening on {host}:{next}")),
        }
    }
    match last {
        Some(error) => {
            Err(error).with_context(|| format!("ports {port} to {} are all in use", port.saturating_add(19)))
        }
        None => bail!("no port to listen on"),
    }
}

fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(error) = shell::output(shell::program(program).arg(url)) {
        println!("could not open a browser ({error:#})");
    }
}

/// A folder, shown under a path.
pub(crate) struct Server {
    folder: PathBuf,
    prefix: String,
    /// The policy of the page's own `<meta>`, sent as a header too: that covers the worker.
    policy: Option<String>,
}

impl Server {
    /// `prefix` begins and ends with a slash.
    pub(crate) fn new(folder: &Path, prefix: &str, with_policy: bool) -> Arc<Self> {
        let index = std::fs::read_to_string(folder.join("index.html")).unwrap_or_default();
        let policy = if with_policy { policy(&index) } else { None };
        Arc::new(Self { folder: folder.to_path_buf(), prefix: prefix.to_owned(), policy })
    }

    /// Serves on a free port from a thread of its own and returns the page's address.
    pub(crate) fn start(self: &Arc<Self>) -> Result<String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("listening on a free port")?;
        let port = listener.local_addr()?.port();
        let server = Arc::clone(self);
        std::thread::spawn(move || server.run(&listener));
        Ok(format!("http://127.0.0.1:{port}{}", self.prefix))
    }

    /// Serves until the program ends.
    fn run(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            let server = Arc::clone(self);
            std::thread::spawn(move || {
                // A browser that goes away is no news.
                let _ = server.connection(stream);
            });
        }
    }

    fn connection(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        while let Some(request) = Request::read(&mut reader)? {
            let reply = self.answer(&request);
            reply.send(&mut stream, request.method == "HEAD", self.policy.as_deref())?;
            if request.close {
                break;
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> Reply {
        if request.method != "GET" && request.method != "HEAD" {
            return Reply::text(405, "only GET and HEAD").with("Allow", "GET, HEAD");
        }
        let Some(path) = decode(&request.path) else {
            return Reply::text(400, "not a path");
        };
        let Some(name) = path.strip_prefix(&self.prefix) else {
            let without_slash = format!("{path}/") == self.prefix;
            return if without_slash {
                Reply::text(301, "").with("Location", &self.prefix)
            } else {
                Reply::text(404, "not found")
            };
        };
        let Some(mut file) = self.locate(name) else {
            return Reply::text(404, "not found");
        };
        if file.is_dir() {
            if !name.is_empty() && !name.ends_with('/') {
                return Reply::text(301, "").with("Location", &format!("{}/", request.path));
            }
            file.push("index.html");
        }
        Reply::file(&file, request).unwrap_or_else(|_| Reply::text(404, "not found"))
    }

    /// A file or folder of the site; nothing outside of it, whatever the name or a link says.
    fn locate(&self, name: &str) -> Option<PathBuf> {
        let parts = name.split('/').filter(|part| !part.is_empty());
        let mut path = self.folder.clone();
        for part in parts {
            if part.starts_with('.') || part.contains(['\\', '\0', ':']) {
                return None;
            }
            path.push(part);
        }
        let real = path.canonicalize().ok()?;
        real.starts_with(self.folder.canonicalize().ok()?).then_some(real)
    }
}

struct Request {
    method: String,
    path: String,
    etag: Option<String>,
    range: Option<String>,
    close: bool,
}

impl Request {
    /// The next request of a connection, `None` at its end.
    fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Self>> {
        const LONGEST_HEAD: u64 = 64 * 1024;
        let mut head = reader.take(LONGEST_HEAD);
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
        let mut request =
            Self { method: method.to_owned(), path, etag: None, range: None, close: words.next() == Some("HTTP/1.0") };
        loop {
            let mut line = String::new();
            if head.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            let line = line.trim_end();
            if line.is_empty() {
                return Ok(Some(request));
            }
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "if-none-match" => request.etag = Some(value.to_owned()),
                "range" => request.range = Some(value.to_owned()),
                "connection" => request.close |= value.eq_ignore_ascii_case("close"),
                // A body would be read as the next request.
                "content-length" | "transfer-encoding" => request.close = true,
                _ => {}
            }
        }
    }
}

struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
}

enum Body {
    Text(String),
    /// The file, at the first byte that goes out.
    File {
        file: File,
        length: u64,
    },
}

impl Reply {
    fn text(status: u16, text: &str) -> Self {
        let body = if text.is_empty() { String::new() } else { format!("{text}\n") };
        Self {
            status,
            headers: vec![("Content-Type".into(), "text/plain; charset=utf-8".into())],
            body: Body::Text(body),
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn file(path: &Path, request: &Request) -> std::io::Result<Self> {
        let mut file = File::open(path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Ok(Self::text(404, "not found"));
        }
        let size = about.len();
        let time = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let etag = format!("\"{size:x}-{time:x}\"");
        let known = request
            .etag
            .as_deref()
            .is_some_and(|sent| sent == "*" || sent.split(',').any(|one| one.trim().trim_start_matches("W/") == etag));
        if known {
            return Ok(Self { status: 304, headers: Vec::new(), body: Body::Text(String::new()) }.with("ETag", &etag));
        }
        let mut reply = Self { status: 200, headers: Vec::new(), body: Body::Text(String::new()) }
            .with("Content-Type", mime(path))
            .with("ETag", &etag)
            .with("Accept-Ranges", "bytes");
        let (mut start, mut length) = (0, size);
        match request.range.as_deref().map(|text| range(text, size)) {
            Some(Range::Part(from, count)) => {
                (start, length) = (from, count);
                reply.status = 206;
                reply = reply.with("Content-Range", &format!("bytes {from}-{}/{size}", from + count - 1));
            }
            Some(Range::Impossible) => {
                return Ok(Self::text(416, "no such range").with("Content-Range", &format!("bytes */{size}")));
            }
            Some(Range::Whole) | None => {}
        }
        file.seek(SeekFrom::Start(start))?;
        reply.body = Body::File { file, length };
        Ok(reply)
    }

    fn send(self, to: &mut TcpStream, head_only: bool, policy: Option<&str>) -> std::io::Result<()> {
        let length = match &self.body {
            Body::Text(text) => text.len() as u64,
            Body::File { length, .. } => *length,
        };
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        if self.status != 304 {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str("Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
        // As hosts of static pages do: a figure in a sandboxed frame has no origin, and may read nothing else.
        head.push_str("Access-Control-Allow-Origin: *\r\n");
        if let Some(policy) = policy {
            head.push_str(&format!("Content-Security-Policy: {policy}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        to.write_all(head.as_bytes())?;
        if !head_only {
            match self.body {
                Body::Text(text) => to.write_all(text.as_bytes())?,
                Body::File { file, length, .. } => {
                    std::io::copy(&mut file.take(length), to)?;
                }
            }
        }
        to.flush()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// From this byte, that many.
    Part(u64, u64),
    Impossible,
    /// Not a range this server knows (several, other units): the answer is the whole file.
    Whole,
}

fn range(text: &str, size: u64) -> Range {
    let Some((from, to)) = text.strip_prefix("bytes=").and_then(|text| text.split_once('-')) else {
        return Range::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (from, to) = match (number(from), number(to)) {
        (Some(from), Some(to)) => (from, to),
        (Some(from), None) if to.trim().is_empty() => (from, u64::MAX),
        (None, Some(last)) if from.trim().is_empty() => {
            (size.saturating_sub(last), if last == 0 { 0 } else { u64::MAX })
        }
        _ => return Range::Whole,
    };
    if from >= size || to < from {
        return Range::Impossible;
    }
    Range::Part(from, to.min(size - 1) - from + 1)
}

/// Percent-decoding; `None` for what is not UTF-8 or not absolute.
fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|path| path.starts_with('/'))
}

fn mime(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "tif" | "tiff" => "image/tiff",
        "wav" => "audio/wav",
        "woff2" => "font/woff2",
        "csv" => "text/csv; charset=utf-8",
        "tsv" => "text/tab-separated-values; charset=utf-8",
        "txt" | "md" | "wgsl" => "text/plain; charset=utf-8",
        "gz" => "application/gzip",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        400 => "Bad Request",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        _ => "Not Found",
    }
}

/// The content of `<meta http-equiv="Content-Security-Policy">`, on one line.
fn policy(html: &str) -> Option<String> {
    let tag = html.split("<meta").find(|tag| tag.to_ascii_lowercase().contains("content-security-policy"))?;
    let tag = &tag[..tag.find('>')?];
    let value = tag.split_once("content=\"")?.1.split('"').next()?;
    let value = value.replace("&#39;", "'").replace("&amp;", "&");
    Some(value.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> (tempfile::TempDir, Arc<Server>) {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page");
        std::fs::create_dir_all(page.join("fonts")).unwrap();
        std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(page.join(".hidden"), "hidden").unwrap();
        std::fs::write(
            page.join("index.html"),
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';\n  img-src 'self'\"><p>page",
        )
        .unwrap();
        std::fs::write(page.join("page_bg.wasm"), b"\0asm0123456789").unwrap();
        std::fs::write(page.join("fonts/a b.woff2"), "font").unwrap();
        let server = Server::new(&page, "/sub/path/", true);
        (folder, server)
    }

    /// What the server says to these bytes on one connection, as text.
    fn ask(url: &str, request: &str) -> String {
        let address = url.trim_start_matches("http://").split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }

    fn get(url: &str, path: &str, headers: &str) -> String {
        ask(url, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"))
    }

    #[test]
    fn serves_the_folder_under_its_path_only() {
        let (_folder, server) = site();
        let url = server.start().unwrap();
        let page = get(&url, "/sub/path/?measure=perm#x", "");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("<p>page"), "{page}");
        assert!(page.contains("Content-Security-Policy: default-src 'none'; img-src 'self'\r\n"), "{page}");
        assert!(
            page.contains("Content-Type: text/html; charset=utf-8\r\n") && page.contains("Cache-Control: no-cache\r\n")
        );
        assert!(get(&url, "/sub/path/page_bg.wasm", "").contains("Content-Type: application/wasm\r\n"));
        assert!(get(&url, "/sub/path/fonts/a%20b.woff2", "").ends_with("font"));
        assert!(get(&url, "/sub/path", "").contains("Location: /sub/path/\r\n"));
        assert!(get(&url, "/sub/path/fonts", "").contains("Location: /sub/path/fonts/\r\n"));
        for path in ["/", "/index.html", "/sub/path/none", "/sub/path/fonts/"] {
            assert!(get(&url, path, "").starts_with("HTTP/1.1 404"), "{path}");
        }
    }

    #[test]
    fn nothing_outside_of_the_folder_is_served() {
        let (folder, server) = site();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("secret.txt"), folder.path().join("page/link.txt")).unwrap();
        let url = server.start().unwrap();
        for path in [
            "../secret.txt",
            "%2e%2e/secret.txt",
            "..%2fsecret.txt",
            "fonts/../../secret.txt",
            "..\\secret.txt",
            ".hidden",
            "link.txt",
            "%00",
            "%zz",
            "/etc/passwd",
        ] {
            let reply = get(&url, &format!("/sub/path/{path}"), "");
            assert!(reply.starts_with("HTTP/1.1 40"), "{path}: {reply}");
            assert!(!reply.contains("secret") && !reply.contains("hidden"), "{path}: {reply}");
        }
        assert!(folder.path().exists());
    }

    #[test]
    fn unchanged_files_and_parts_of_files() {
        let (_folder, server) = site();
        let url = server.start().unwrap();
        let path = "/sub/path/page_bg.wasm";
        let whole = get(&url, path, "");
        let etag = whole.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
        let again = get(&url, path, &format!("If-None-Match: \"other\", W/{etag}\r\n"));
        assert!(again.starts_with("HTTP/1.1 304") && again.ends_with("\r\n\r\n"), "{again}");
        let part = get(&url, path, "Range: bytes=4-6\r\n");
        assert!(
            part.starts_with("HTTP/1.1 206")
                && part.contains("Content-Range: bytes 4-6/14\r\n")
                && part.ends_with("\r\n\r\n012"),
            "{part}"
        );
        assert!(get(&url, path, "Range: bytes=99-\r\n").starts_with("HTTP/1.1 416"));
    }

    #[test]
    fn ranges() {
        assert_eq!(range("bytes=0-", 10), Range::Part(0, 10));
        assert_eq!(range("bytes=-3", 10), Range::Part(7, 3));
        assert_eq!(range("bytes=-30", 10), Range::Part(0, 10));
        assert_eq!(range("bytes=8-20", 10), Range::Part(8, 2));
        assert_eq!(range("bytes=-0", 10), Range::Impossible);
        assert_eq!(range("bytes=0-0", 0), Range::Impossible);
        assert_eq!(range("bytes=0-1,3-4", 10), Range::Whole);
        assert_eq!(range("lines=0-1", 10), Range::Whole);
    }

    #[test]
    fn one_connection_carries_several_requests_and_head_has_no_body() {
        let (_folder, server) = site();
        let url = server.start().unwrap();
        let head = "HEAD /sub/path/ HTTP/1.1\r\n\r\n";
        let both = ask(&url, &format!("{head}POST /sub/path/ HTTP/1.1\r\nConnection: close\r\n\r\n"));
        assert!(
            both.starts_with("HTTP/1.1 200") && both.contains("HTTP/1.1 405") && !both.contains("<p>page"),
            "{both}"
        );
    }

    #[test]
    fn a_taken_port_is_not_the_end() {
        let first = bind("127.0.0.1", 18_080).unwrap();
        let second = bind("127.0.0.1", first.local_addr().unwrap().port()).unwrap();
        assert_ne!(first.local_addr().unwrap(), second.local_addr().unwrap());
    }
}
