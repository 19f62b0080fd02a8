// p2p-media-loader's own command code on a batch of commands and messages.
//
//     node commands.mjs PACKAGE <batch.json
//
// The batch: { commands: [{ command, max, messages }], chunks: [hex], bodies: [hex] }. The answer, entry by
// entry: what the package writes for each command and reads of the messages it is given for it, whether it
// takes each chunk for a command, and what it reads of each body. What throws is null.

import { readFileSync } from "node:fs";

const [name] = process.argv.slice(2);
const theirs = await import(`../node_modules/${name}/lib/p2p/commands/index.js`);

const fromHex = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const toHex = (bytes) => Buffer.from(bytes).toString("hex");

function orNull(work) {
    try {
        return work();
    } catch {
        return null;
    }
}

/** The command that its messages make, taken together as the package's peer does it. */
function join(messages) {
    let command = null;
    const joiner = new theirs.BinaryCommandChunksJoiner((body) => {
        command = theirs.deserializeCommand(body);
    });
    for (const message of messages) {
        joiner.addCommandChunk(fromHex(message));
    }
    return command;
}

const batch = JSON.parse(readFileSync(0, "utf8"));
const answer = {
    commands: batch.commands.map(({ command, max, messages }) => {
        const written = theirs.serializePeerCommand(command, max).map(toHex);
        return { written, read: orNull(() => join(messages)), own: orNull(() => join(written)) };
    }),
    chunks: batch.chunks.map((chunk) => theirs.isCommandChunk(fromHex(chunk))),
    bodies: batch.bodies.map((body) => orNull(() => theirs.deserializeCommand(fromHex(body)))),
};
process.stdout.write(JSON.stringify(answer));
