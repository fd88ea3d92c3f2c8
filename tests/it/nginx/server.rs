//! A plain nginx on a loopback port; it stops when dropped.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// nginx in PATH, or where Debian installs it, which is often not in PATH.
const PROGRAMS: [&str; 2] = ["nginx", "/usr/sbin/nginx"];
/// How often nginx is started: a port that was free a moment ago may be taken.
const ATTEMPTS: usize = 5;
const START: Duration = Duration::from_secs(20);

/// A running nginx that answers from the files in `orders/` of its folder.
pub(super) struct Nginx {
    process: Child,
    port: u16,
}

impl Nginx {
    /// Starts nginx with its configuration, logs and temporary files in `folder`.
    pub(super) fn start(folder: &Path) -> Self {
        for _ in 0..ATTEMPTS {
            let port = free_port();
            fs::write(folder.join("nginx.conf"), config(folder, port)).expect("a configuration");
            let mut nginx = Self { process: spawn(folder), port };
            if nginx.answers() {
                return nginx;
            }
        }
        let log = fs::read_to_string(folder.join("nginx.log")).unwrap_or_default();
        panic!("nginx does not start:\n{log}");
    }

    /// The base URL of its API.
    pub(super) fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}/api/open/v2", self.port)
    }

    /// Waits until nginx listens; false if it ended instead.
    fn answers(&mut self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < START {
            if self.process.try_wait().expect("the state of nginx").is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It is one process without workers. Both calls fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    listener.local_addr().expect("its address").port()
}

fn spawn(folder: &Path) -> Child {
    let start = |program: &&str| {
        Command::new(program)
            .arg("-p")
            .arg(folder)
            .arg("-e")
            .arg(folder.join("nginx.log"))
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()
    };
    PROGRAMS.iter().find_map(start).expect("nginx is not installed: run `make test`")
}

fn config(folder: &Path, port: u16) -> String {
    let folder = folder.to_str().expect("a path in UTF-8");
    format!(
        r#"daemon off;
master_process off;
worker_processes 1;
pid "{folder}/nginx.pid";
error_log "{folder}/nginx.log" warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    types {{ }}
    default_type application/json;
    client_body_temp_path "{folder}/nginx-body";
    proxy_temp_path "{folder}/nginx-proxy";
    fastcgi_temp_path "{folder}/nginx-fastcgi";
    uwsgi_temp_path "{folder}/nginx-uwsgi";
    scgi_temp_path "{folder}/nginx-scgi";
    server {{
        listen 127.0.0.1:{port};
        location = /api/open/v2/workflow/run/info {{
            root "{folder}";
            try_files /orders/$arg_run_order_id.json =404;
        }}
    }}
}}
"#
    )
}
