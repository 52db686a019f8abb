//! A real nginx before the same upstream.

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use local::{Client, Request};
use meshwright_benches::in_envoy::{HOST, World};
use tempfile::TempDir;

pub(crate) struct Nginx {
    process: Child,
    at: SocketAddr,
    upstream: SocketAddr,
    _folder: TempDir,
}

const PORT: u16 = 18_080;
const OTHER_PORT: u16 = 18_081;

impl Nginx {
    pub(crate) fn start(world: &World, htpasswd: &str) -> Nginx {
        Nginx::at(world.address(), PORT, world.upstream(), htpasswd)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.at)
    }

    /// What becomes of a user `grace` with the password `hopper` in another file.
    pub(crate) async fn of(&self, htpasswd: &str) -> String {
        let std::net::IpAddr::V4(address) = self.at.ip() else { panic!("an address of version 4") };
        let other = Nginx::at(address, OTHER_PORT, self.upstream, htpasswd);
        let request = Request::get("/").host(HOST).basic_auth("grace", "hopper");
        match other.client().send(&request).await.expect("nginx answers").status {
            200 => "read".to_owned(),
            status => format!("{status} to the right password"),
        }
    }

    fn at(address: Ipv4Addr, port: u16, upstream: SocketAddr, htpasswd: &str) -> Nginx {
        let folder = TempDir::new().expect("a temporary folder");
        let at = SocketAddr::new(address.into(), port);
        write(folder.path(), "users", htpasswd);
        write(folder.path(), "nginx.conf", &configuration(folder.path(), at, upstream));
        let mut process = Command::new(binary())
            .args([OsStr::new("-p"), folder.path().as_os_str(), OsStr::new("-c"), OsStr::new("nginx.conf")])
            .args(["-g", "daemon off;", "-e", "stderr"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx runs");
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(at).is_err() {
            assert!(process.try_wait().expect("a child").is_none(), "nginx has ended");
            assert!(Instant::now() < deadline, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Nginx { process, at, upstream, _folder: folder }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn configuration(folder: &Path, at: SocketAddr, upstream: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "worker_processes 1;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {at};
        auth_basic \"shop\";
        auth_basic_user_file {folder}/users;
        location / {{
            proxy_pass http://{upstream};
            proxy_set_header Host $host;
            proxy_set_header X-User $remote_user;
        }}
    }}
}}
"
    )
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("the folder is writable");
}

/// `$NGINX`, the path, or what the set-up has unpacked.
fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("NGINX") {
        return named.into();
    }
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/net/usr/sbin/nginx");
    let known = [PathBuf::from("/usr/sbin/nginx"), unpacked];
    known.into_iter().find(|path| path.exists()).expect("nginx: `make setup` unpacks it in target/net, or set NGINX")
}
