use crate::kernels::{Add, Endless, Pair};
use sememe::adapters::{Collect, FrameBlock, Graph, GraphError, JoinBlock, Replay, SinkBlock, SourceBlock};
use sememe_blocks::kernel::Tee;

#[test]
fn a_second_reader_is_refused_by_name() {
    let mut graph = Graph::new();
    let out = graph.add("numbers", SourceBlock::new(Endless(0)));
    let one = graph.add("one", FrameBlock::new(Add(1)));
    let two = graph.add("two", FrameBlock::new(Add(2)));
    graph.connect(out, one.input).unwrap();
    let error = graph.connect(out, two.input).unwrap_err();
    assert_eq!(
        error.to_string(),
        "output 'output' of block 'numbers' already feeds 'one' and cannot feed 'two' too: \
         a port has one reader, put a Tee between"
    );
}

#[test]
fn a_second_reader_in_a_chain_is_reported_by_the_run() {
    let mut graph = Graph::new();
    let out = graph.chain("numbers", Endless(0)).out();
    graph.resume(out).sink("a", Collect::new());
    graph.resume(out).sink("b", Collect::new());
    let error = graph.run().unwrap_err().to_string();
    assert!(error.contains("already feeds 'a' and cannot feed 'b'"), "{error}");
}

#[test]
fn a_second_writer_is_refused_by_name() {
    let mut graph = Graph::new();
    let one = graph.add("one", SourceBlock::new(Endless(0)));
    let two = graph.add("two", SourceBlock::new(Endless(0)));
    let sink = graph.add("sink", SinkBlock::new(Collect::new()));
    graph.connect(one, sink).unwrap();
    let error = graph.connect(two, sink).unwrap_err().to_string();
    assert_eq!(error, "input 'input' of block 'sink' is already fed by 'one' and cannot be fed by 'two' too");
}

#[test]
fn unconnected_ports_are_named_before_anything_runs() {
    let mut graph = Graph::new();
    let (first, _) = graph.chain("numbers", Endless(0)).split("tee", Tee::new());
    graph.resume(first).sink("sink", Collect::new());
    assert_eq!(graph.check().unwrap_err().to_string(), "output 'second' of block 'tee' is not connected");

    let mut graph = Graph::new();
    let meet = graph.add("meet", JoinBlock::new(Pair));
    let out = graph.chain("numbers", Replay::new(vec![1])).out();
    graph.connect(out, meet.second).unwrap();
    graph.resume(meet.output).sink("sink", Collect::new());
    assert_eq!(graph.run().unwrap_err().to_string(), "input 'first' of block 'meet' is not connected");
}

#[test]
fn rings_doubled_names_and_foreign_ports_are_refused() {
    let mut graph = Graph::new();
    let tee = graph.add("tee", sememe::adapters::SplitBlock::new(Tee::new()));
    let back = graph.add("back", FrameBlock::new(Add(1)));
    graph.connect(tee.first, back.input).unwrap();
    graph.connect(back.output, tee.input).unwrap();
    graph.resume(tee.second).sink("sink", Collect::new());
    assert!(matches!(graph.check().unwrap_err(), GraphError::Ring(name) if name == "tee"));
    let alone = graph.add("alone", FrameBlock::new(Add(1)));
    assert!(matches!(graph.connect(alone.output, alone.input), Err(GraphError::Ring(_))));

    let mut graph = Graph::new();
    graph.chain("numbers", Endless(0)).then("x", Add(1)).sink("x", Collect::new());
    assert!(graph.run().unwrap_err().to_string().starts_with("two blocks are named 'x'"));

    let mut other = Graph::new();
    let out = other.chain("numbers", Endless(0)).out();
    let sink = Graph::new().add("sink", SinkBlock::new(Collect::new()));
    assert!(matches!(other.connect(out, sink), Err(GraphError::OtherGraph)));
}

#[test]
fn an_empty_graph_runs_to_its_end() {
    Graph::new().run().unwrap();
}
