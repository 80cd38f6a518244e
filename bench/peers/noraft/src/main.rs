//! Runs the cases of the core's benchmark on the crate noraft, when told to.
//!
//! Each line of standard input is `<case> <nodes> <entries>`; the answer is one line, the nanoseconds
//! of CPU time that it took. The same lines are understood by `bench/core/worker.ts`, so that rounds
//! of the two alternate.

use noraft::{
    Action, ClusterConfig, CommitStatus, Log, LogEntries, LogEntry, LogPosition, Message, Node,
    NodeGeneration, NodeId, Term,
};
use std::collections::VecDeque;
use std::io::{BufRead, Write};

/// A cluster without I/O: disks answer at once, and messages arrive in the order of their sending.
struct Cluster {
    nodes: Vec<Node>,
    line: VecDeque<(usize, Message)>,
}

impl Cluster {
    /// With a log of so many terms, and the first node as its leader.
    fn new(size: u64, terms: u64) -> Self {
        let ids: Vec<NodeId> = (0..size).map(NodeId::new).collect();
        let mut config = ClusterConfig::new();
        config.voters.extend(ids.iter().copied());
        let mut entries = vec![LogEntry::ClusterConfig(config)];
        entries.extend((1..=terms).map(|term| LogEntry::Term(Term::new(term))));
        let log = Log::new(
            ClusterConfig::new(),
            LogEntries::from_iter(LogPosition::ZERO, entries),
        );
        let start = |id: &NodeId| {
            Node::restart(*id, NodeGeneration::new(1), Term::new(terms), None, log.clone())
        };
        let mut cluster = Self {
            nodes: ids.iter().map(start).collect(),
            line: VecDeque::new(),
        };
        cluster.nodes[0].handle_election_timeout();
        cluster.act(0);
        cluster.deliver();
        assert!(cluster.nodes[0].role().is_leader());
        cluster
    }

    /// Does what a node wants done.
    fn act(&mut self, at: usize) {
        let size = self.nodes.len();
        for action in self.nodes[at].actions_mut() {
            match action {
                Action::BroadcastMessage(message) => {
                    for to in (0..size).filter(|to| *to != at) {
                        self.line.push_back((to, message.clone()));
                    }
                }
                Action::SendMessage(to, message) => {
                    self.line.push_back((u64::from(to) as usize, message));
                }
                _ => {}
            }
        }
    }

    fn deliver(&mut self) {
        while let Some((to, message)) = self.line.pop_front() {
            self.nodes[to].handle_message(&message);
            self.act(to);
        }
    }

    fn propose(&mut self, count: u64, actions_after_each: bool) {
        let mut last = LogPosition::ZERO;
        for _ in 0..count {
            last = self.nodes[0].propose_command();
            if actions_after_each {
                self.act(0);
            }
        }
        self.act(0);
        self.deliver();
        assert_eq!(
            self.nodes[0].get_commit_status(last),
            CommitStatus::Committed
        );
    }

    fn heartbeat(&mut self) {
        self.nodes[0].heartbeat();
        self.act(0);
        self.deliver();
    }
}

/// Entries, or heartbeats, of one cluster at most: its log stays within 100,000.
const COUNT_AT_MOST: u64 = 90_000;

/// Does a case with so many entries, or heartbeats, and tells the CPU time in nanoseconds.
fn run(case: &str, size: u64, count: u64) -> u64 {
    let whole = count / COUNT_AT_MOST;
    let rest = count % COUNT_AT_MOST;
    let all = (0..whole).map(|_| COUNT_AT_MOST).chain((rest > 0).then_some(rest));
    all.map(|count| run_one(case, size, count)).sum()
}

fn run_one(case: &str, size: u64, count: u64) -> u64 {
    let mut cluster = Cluster::new(size, if case == "terms" { 10_000 } else { 1 });
    let start = cpu_time();
    match case {
        "single" => (0..count).for_each(|_| cluster.propose(1, false)),
        "merged" => (0..count / 100).for_each(|_| cluster.propose(100, false)),
        "apart" | "terms" => (0..count / 100).for_each(|_| cluster.propose(100, true)),
        "heartbeat" => (0..count).for_each(|_| cluster.heartbeat()),
        _ => panic!("{case} is no case"),
    }
    cpu_time() - start
}

#[repr(C)]
struct Time {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn clock_gettime(clock: i32, time: *mut Time) -> i32;
}

/// The CPU time of this process, in nanoseconds: other work on the machine does not count.
fn cpu_time() -> u64 {
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    let mut time = Time {
        seconds: 0,
        nanoseconds: 0,
    };
    let status = unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(status, 0);
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

fn main() {
    let mut output = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        writeln!(output, "{}", run(words[0], number(1), number(2))).expect("a reader");
        output.flush().expect("a reader");
    }
}
