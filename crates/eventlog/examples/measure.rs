//! temp
use commitment::{Level, LogCheck};
use std::io::BufRead;
use std::time::Instant;
use stillthere_eventlog::*;
fn main() {
    let file = std::env::args().nth(1).unwrap();
    let dir = std::path::PathBuf::from(std::env::args().nth(2).unwrap());
    let batch: usize = std::env::args().nth(3).map_or(10_000, |n| n.parse().unwrap());
    for round in 0..2 {
        let t = Instant::now();
        let log =
            Log::open(&dir, Options::new(|| event::Timestamp::from_ms(1_800_000_000_000).unwrap()))
                .unwrap();
        println!("open {:?} {:?}", t.elapsed(), log.recovery());
        let t = Instant::now();
        let mut events = Vec::new();
        let mut n = 0;
        let mut parse = std::time::Duration::ZERO;
        for line in std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(&file).unwrap())
            .split(b'\n')
        {
            let p = Instant::now();
            events.push(event::read_line(&line.unwrap()).unwrap());
            parse += p.elapsed();
            if events.len() == batch {
                n += log.append(std::mem::take(&mut events)).unwrap().len();
            }
        }
        n += log.append(events).unwrap().len();
        println!("round {round}: {n} appended in {:?}, parse {parse:?}", t.elapsed());
        let t = Instant::now();
        log.close().unwrap();
        println!("close {:?}", t.elapsed());
    }
    let t = Instant::now();
    let reader = Reader::open(&dir).unwrap();
    println!("reader open {:?}", t.elapsed());
    let t = Instant::now();
    let mut steps = 0;
    reader
        .for_each_account::<ReadError>(|h| {
            steps += h.steps.len();
            Ok(())
        })
        .unwrap();
    println!("all histories {steps} {:?}", t.elapsed());
    let t = Instant::now();
    let h = reader.account_history("CamlGI.0.6").unwrap();
    println!("one {:?} {:?}", h.map(|h| h.steps.len()), t.elapsed());
    let t = Instant::now();
    let h = reader.account_events("CamlGI.0.6").unwrap();
    println!("one events {:?} {:?}", h.len(), t.elapsed());
    let t = Instant::now();
    let mut n = 0;
    reader
        .scan::<ReadError>(|_| {
            n += 1;
            Ok(())
        })
        .unwrap();
    println!("scan {n} {:?}", t.elapsed());
    for level in [Level::Quick, Level::Full] {
        let t = Instant::now();
        let files = LogFiles::open(&dir).unwrap();
        let mut check = LogCheck::new(level, files.head()).unwrap();
        for f in files.files() {
            check.file(&f.name).unwrap();
            files
                .read::<ReadError>(f, |b| {
                    check.feed(b, &mut |_| {}).unwrap();
                    Ok(())
                })
                .unwrap();
        }
        let r = check.finish().unwrap();
        println!(
            "{level:?} {} {} {} {:?}",
            r.events,
            r.accounts,
            commitment::hex(&r.root),
            t.elapsed()
        );
    }
}
