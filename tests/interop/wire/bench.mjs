// How long p2p-media-loader takes for what core/peer-proto/benches measures of ours.
//
//     node bench.mjs PACKAGE

const [name = "p2p-media-loader-core"] = process.argv.slice(2);
const theirs = await import(`../node_modules/${name}/lib/p2p/commands/index.js`);

const MAX = 65_535;
const ROUNDS = 9;
const ROUND_MS = 200;

const loaded = Array.from({ length: 300 }, (_, index) => 1000 + index);
// Its own bytes for a full page cannot be read; this list has none.
const readable = [...loaded.slice(0, 279), ...Array.from({ length: 21 }, (_, index) => 1280 + index)];
const commands = {
    "announcement of 300": [{ c: 0, l: loaded, p: [] }, { c: 0, l: readable, p: [] }],
    request: [{ c: 1, i: 1000, r: 617 }, { c: 1, i: 1000, r: 617 }],
};

function read(message) {
    const joiner = new theirs.BinaryCommandChunksJoiner((body) => theirs.deserializeCommand(body));
    joiner.addCommandChunk(message);
}

/** The median over rounds, in nanoseconds for one. */
function measure(work) {
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
        const begin = performance.now();
        let count = 0;
        while (performance.now() - begin < ROUND_MS) {
            work();
            count += 1;
        }
        rounds.push(((performance.now() - begin) / count) * 1e6);
    }
    return Math.round(rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]);
}

for (const [what, [written, alike]] of Object.entries(commands)) {
    const [message] = theirs.serializePeerCommand(alike, MAX);
    console.log(`encode ${what}: ${measure(() => theirs.serializePeerCommand(written, MAX))} ns`);
    console.log(`decode ${what}: ${measure(() => read(message))} ns`);
}
