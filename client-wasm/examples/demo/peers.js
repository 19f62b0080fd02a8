// The list of connected peers, with what was exchanged with each.

import { formatBytes } from "./meter.js";

const MARK = "M17 2 30 9.5v15L17 32 4 24.5v-15z";
const SVG = "http://www.w3.org/2000/svg";

export class Peers {
  #list;
  /** Peer id to its line in the list. */
  #lines = new Map();
  /** Peer id to bytes; kept when a peer goes, because it may come back. */
  #moved = new Map();

  constructor(list) {
    this.#list = list;
  }

  moved(peerId, direction, bytes) {
    const moved = this.#moved.get(peerId) ?? { down: 0, up: 0 };
    moved[direction] += bytes;
    this.#moved.set(peerId, moved);
  }

  /** Shows these peers, as `engine.getPeers()` gives them; `streamName` says in which swarm. */
  show(peers, streamName) {
    const present = new Set(peers.map((peer) => peer.peerId));
    for (const [peerId, line] of this.#lines) {
      if (present.has(peerId)) continue;
      line.remove();
      this.#lines.delete(peerId);
    }
    for (const peer of peers) {
      const line = this.#lines.get(peer.peerId) ?? this.#add(peer, streamName(peer));
      const { down, up } = this.#moved.get(peer.peerId) ?? { down: 0, up: 0 };
      line.querySelector(".down").textContent = `↓ ${formatBytes(down)}`;
      line.querySelector(".up").textContent = `↑ ${formatBytes(up)}`;
    }
  }

  #add(peer, stream) {
    const line = element("li", peer.isSeeder ? "is-seeder" : "", "");
    const who = element("div", "who", peer.name);
    who.append(element("small", "", [stream, peer.peerId].filter(Boolean).join(" · ")));
    const moved = element("div", "moved", "");
    moved.append(element("span", "down", ""), element("span", "up", ""));
    line.append(mark(peer), who, moved);
    this.#lines.set(peer.peerId, line);
    // Viewers first: what moves between them is what one comes to see.
    if (peer.isSeeder) this.#list.append(line);
    else this.#list.prepend(line);
    return line;
  }
}

function mark(peer) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 34 34");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", MARK);
  path.setAttribute("fill", peer.isSeeder ? "#2ec4a6" : `hsl(${hueOf(peer.peerId)} 70% 62%)`);
  svg.append(path);
  return svg;
}

/** An angle on the colour wheel, by 32 bits of FNV-1a. */
function hueOf(peerId) {
  let value = 0x811c9dc5;
  for (let at = 0; at < peerId.length; at++) value = Math.imul(value ^ peerId.charCodeAt(at), 0x01000193);
  return (value >>> 0) % 360;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
