// Stands in for `webrtc-polyfill`, a native module that is not there: peer connections that find
// each other within this process, by the names in their descriptions. Just what simple-peer uses.

/** @type {Map<string, RTCPeerConnection>} */
const connections = new Map();

class Channel {
  readyState = "connecting";
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;

  constructor(label) {
    this.label = label;
  }

  open(other) {
    this.other = other;
    this.readyState = "open";
    queueMicrotask(() => this.onopen?.({}));
  }

  send(data) {
    const copy = data.slice().buffer ?? data;
    queueMicrotask(() => this.other?.onmessage?.({ data: copy }));
  }

  close() {
    this.readyState = "closed";
  }
}

export class RTCPeerConnection {
  signalingState = "stable";
  iceConnectionState = "new";
  iceGatheringState = "new";
  connectionState = "new";
  localDescription = null;
  remoteDescription = null;

  constructor() {
    this.name = `standin${connections.size}`;
    connections.set(this.name, this);
  }

  createDataChannel(label) {
    this.channel = new Channel(label);
    return this.channel;
  }

  async createOffer() {
    return { type: "offer", sdp: this.#sdp() };
  }

  async createAnswer() {
    return { type: "answer", sdp: this.#sdp() };
  }

  async setLocalDescription(description) {
    this.localDescription = description;
    this.iceGatheringState = "complete";
    queueMicrotask(() => this.onicecandidate?.({ candidate: null }));
  }

  async setRemoteDescription(description) {
    this.remoteDescription = description;
    if (description.type === "answer") {
      const [, name] = /^a=ice-ufrag:(\w+)\r$/m.exec(description.sdp);
      this.#connect(connections.get(name));
    }
  }

  async getStats() {
    return new Map([["pair", { id: "pair", type: "candidate-pair", selected: true }]]);
  }

  close() {
    this.signalingState = "closed";
  }

  #sdp() {
    const lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"];
    lines.push("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", `a=ice-ufrag:${this.name}`);
    return lines.map((line) => `${line}\r\n`).join("");
  }

  /** The offerer has the channel; the other end gets one like it. */
  #connect(answerer) {
    answerer.channel = new Channel(this.channel.label);
    answerer.ondatachannel?.({ channel: answerer.channel });
    for (const [own, other] of [[this, answerer], [answerer, this]]) {
      own.iceConnectionState = "connected";
      own.oniceconnectionstatechange?.();
      own.channel.open(other.channel);
    }
  }
}

export class RTCSessionDescription {
  constructor({ type, sdp }) {
    Object.assign(this, { type, sdp });
  }
}

export class RTCIceCandidate {}

/** For `node:module`'s hooks: where the package's name leads. */
export async function resolve(specifier, context, next) {
  return specifier === "webrtc-polyfill" ? { url: import.meta.url, shortCircuit: true } : next(specifier, context);
}
