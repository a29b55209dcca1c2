//! A witness on 127.0.0.1, for tests: its decisions are the library's, and its manners can be bad.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use commitment::{AddCheckpoint, Algorithm, SignerKey, VerifierKey, WatchedLog};

/// How it answers.
#[derive(Clone)]
pub enum Manner {
    /// As the protocol has it.
    Honest,
    /// So many seconds off the real time.
    Off(i64),
    /// With this line in front of its own, by some other key.
    After(String),
    /// Always these bytes, whatever it was asked.
    Always(Vec<u8>),
    /// Not at all, with the connection held open.
    Silent,
    /// A byte now and then, without an end.
    Drips,
}

/// What it was asked, and what it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub old: u64,
    pub status: u16,
}

struct State {
    key: SignerKey,
    /// What it keeps of the one log that it looks after.
    log: WatchedLog,
    manner: Manner,
    exchanges: Vec<Exchange>,
}

pub struct Witness {
    state: Arc<Mutex<State>>,
    pub url: String,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Witness {
    /// One that looks after the log of these keys.
    pub fn of(name: &str, seed: u8, log: &[VerifierKey]) -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let key = SignerKey::new(name, Algorithm::Cosignature, &[seed; 32]).unwrap();
        let origin = log[0].name().to_owned();
        let log = WatchedLog { origin, keys: log.to_vec(), last: None };
        let state = State { key, log, manner: Manner::Honest, exchanges: vec![] };
        let state = Arc::new(Mutex::new(state));
        let ends = Arc::new(AtomicBool::new(false));
        let (shared, over) = (Arc::clone(&state), Arc::clone(&ends));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), shared, over) = (stream, Arc::clone(&shared), Arc::clone(&over))
                else {
                    continue;
                };
                std::thread::spawn(move || serve(stream, &shared, &over));
            }
        });
        Witness { state, url: format!("http://{address}/w1"), ends, thread: Some(thread) }
    }

    pub fn vkey(&self) -> String {
        self.state.lock().unwrap().key.verifier().to_string()
    }

    pub fn behave(&self, manner: Manner) {
        self.state.lock().unwrap().manner = manner;
    }

    /// What it signed last, in pages.
    pub fn last(&self) -> Option<u64> {
        self.state.lock().unwrap().log.last.map(|seen| seen.size)
    }

    /// Has it look after another log.
    pub fn look_after(&self, log: WatchedLog) {
        self.state.lock().unwrap().log = log;
    }

    /// The exchanges since somebody asked for them.
    pub fn exchanges(&self) -> Vec<(u64, u16)> {
        let exchanges = std::mem::take(&mut self.state.lock().unwrap().exchanges);
        exchanges.into_iter().map(|exchange| (exchange.old, exchange.status)).collect()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let address = self.url.trim_start_matches("http://").trim_end_matches("/w1").to_owned();
        let _ = TcpStream::connect(address);
        self.thread.take().expect("it runs").join().expect("it does not panic");
    }
}

/// The path and the body of a request.
fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    let mut body = bytes.split_off(head + 4);
    let have = body.len();
    body.resize(length, 0);
    stream.read_exact(&mut body[have..]).ok()?;
    let mut words = text.split(' ');
    assert_eq!(words.next(), Some("POST"));
    Some((words.next()?.to_owned(), body))
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, ends: &AtomicBool) {
    let Some((path, body)) = request(&mut stream) else { return };
    let mut locked = state.lock().unwrap();
    let State { key, log, manner, exchanges } = &mut *locked;
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (manner, time) = match manner {
        Manner::Off(seconds) => (Manner::Honest, time.saturating_add_signed(*seconds)),
        other => (other.clone(), time),
    };
    let plain = "text/plain";
    let mut old = 0;
    let (status, kind, body) = match AddCheckpoint::parse(&body) {
        _ if path != "/w1/add-checkpoint" => (404, plain, "no such page\n".to_owned()),
        Err(error) => (400, plain, format!("{error}\n")),
        Ok(request) => {
            let text = String::from_utf8(body).unwrap();
            old = text.lines().next().unwrap()[4..].parse().unwrap();
            match request.cosign(Some(&*log), key, time) {
                Ok(done) => {
                    // Before it answers.
                    log.last = Some(done.seen);
                    (200, plain, format!("{}\n", done.line))
                }
                Err(refusal) => {
                    let kind = if refusal.status() == 409 { "text/x.tlog.size" } else { plain };
                    (refusal.status(), kind, refusal.body())
                }
            }
        }
    };
    exchanges.push(Exchange { old, status });
    drop(locked);
    let answer = |body: &str| {
        format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let _ = match manner {
        Manner::Honest | Manner::Off(_) => stream.write_all(answer(&body).as_bytes()),
        Manner::After(line) => stream.write_all(answer(&format!("{line}{body}")).as_bytes()),
        Manner::Always(bytes) => stream.write_all(&bytes),
        Manner::Silent => {
            while !ends.load(Ordering::SeqCst) {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            Ok(())
        }
        Manner::Drips => {
            let mut went = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while went.is_ok() && !ends.load(Ordering::SeqCst) {
                std::thread::sleep(std::time::Duration::from_millis(50));
                went = stream.write_all(b"x");
            }
            went
        }
    };
}
