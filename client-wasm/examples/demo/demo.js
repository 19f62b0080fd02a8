// The demo page: wires the player, the meter, the chart and the peers together.

import { Chart } from "./chart.js";
import { readConfig } from "./config.js";
import { copy, snippet } from "./embed.js";
import { formatBytes, formatRate, Meter, SOURCES } from "./meter.js";
import { Overlay } from "./overlay.js";
import { Peers } from "./peers.js";
import { loadEngine, Player } from "./player.js";

/** How often figures are written; faster ones cannot be read. */
const SHOW_MS = 500;
/** How often the server is asked which channels there are. */
const CHANNELS_MS = 5_000;
/** A second window beside the first; a background tab would be slowed down by the browser. */
const POPUP = "popup,width=760,height=940";

const $ = (id) => document.getElementById(id);
const video = $("video");
const meter = new Meter();
const peers = new Peers($("peers"));
const overlay = new Overlay($("stats"), document.querySelector(".screen"));
let player;

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = text === "";
}

function state(id, isOn, title) {
  const { classList } = $(id);
  classList.toggle("on", isOn === true);
  classList.toggle("off", isOn === false);
  $(id).title = title;
}

function play(config, Engine, channel) {
  player?.stop();
  notice(missing(config) ?? "");
  // What is missing is missing also while it plays.
  const tell = (text) => notice(text || (missing(config) ?? ""));
  player = new Player({ video, meter, peers, notice: tell, Engine, config, channel });
  overlay.of(player.engine);
  markTab(channel.name);
  $("snippet").textContent = snippet(config, channel);
  const url = new URL(location.href);
  url.searchParams.set("channel", channel.name);
  history.replaceState(null, "", url);
  // For tests and for the curious.
  window.beekeepr = { hls: player.hls, engine: player.engine, meter, config };
}

function markTab(name) {
  for (const tab of $("channels").children) {
    tab.setAttribute("aria-pressed", String(tab.dataset.name === name));
  }
}

/** What this binary was built without, or what the page was not given, or undefined. */
function missing(config) {
  if (!config.playerBuilt || !config.clientBuilt) {
    return "The browser client is not part of this server. Build it with `cargo xtask wasm`, then start the server with `cargo xtask up`.";
  }
  if (config.tokens === "withheld") {
    return "The tracker wants tokens, and this page has none to give as others can open it too: everything comes over HTTP. " +
      "It shares when web.listen is a loopback address.";
  }
  return undefined;
}

/** A tab for each channel; the one that plays goes on also when its tab is gone. */
function showTabs(config, Engine) {
  const shown = $("channels").querySelector("[aria-pressed=true]")?.dataset.name;
  $("channels").replaceChildren();
  for (const channel of config.channels) {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.textContent = channel.name;
    tab.dataset.name = channel.name;
    tab.addEventListener("click", () => play(config, Engine, channel));
    $("channels").append(tab);
  }
  markTab(shown);
}

/** Channels come and go while the server runs. */
async function refreshChannels(config, Engine) {
  const { channels } = await readConfig();
  if (JSON.stringify(channels) === JSON.stringify(config.channels)) return;
  config.channels = channels;
  showTabs(config, Engine);
  if (!player && channels[0]) play(config, Engine, channels[0]);
}

function streamName({ streamId }) {
  const level = player.hls.levels.find(({ url }) => streamId?.startsWith(url[0] ?? url));
  return level?.height ? `${level.height}p` : "";
}

function showTraffic() {
  for (const source of SOURCES) {
    $(`total-${source}`).textContent = formatBytes(meter.totals[source]);
    $(`rate-${source}`).textContent = formatRate(meter.rate(source));
  }
  const share = meter.share();
  $("share").textContent = share === undefined ? "–" : `${Math.round(share * 100)} %`;
}

function showPlayback() {
  const { hls } = player;
  const level = hls.levels[hls.currentLevel];
  $("fact-quality").textContent = level?.height ? `${level.height}p` : "–";
  const { buffered, currentTime } = video;
  let ahead = 0;
  for (let at = 0; at < buffered.length; at++) {
    if (buffered.start(at) <= currentTime + 0.1 && currentTime < buffered.end(at)) {
      ahead = buffered.end(at) - currentTime;
    }
  }
  $("fact-buffer").textContent = `${ahead.toFixed(1)} s`;
  const isLive = hls.latestLevelDetails?.live === true;
  $("fact-latency").textContent = isLive ? `${hls.latency.toFixed(1)} s` : "on demand";
  const { playingDate } = hls;
  $("fact-time").textContent = playingDate ? playingDate.toLocaleTimeString() : clock(currentTime);
}

function clock(seconds) {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

function showPeers(config) {
  const connected = player.engine?.getPeers?.() ?? [];
  peers.show(connected, streamName);
  $("peer-count").textContent = String(connected.length);
  $("no-peers").hidden = connected.length > 0;
  const hasSeeder = connected.some(({ isSeeder }) => isSeeder);
  state("state-seeder", hasSeeder || undefined, hasSeeder ? "connected" : "not connected yet");
  const tracker = config.trackers.join(", ");
  state("state-tracker", tracker !== "", tracker || "none runs: everything comes over HTTP");
}

function show(config) {
  showTraffic();
  if (!player) return;
  showPlayback();
  showPeers(config);
}

async function start() {
  new Chart($("chart"), meter);
  const config = await readConfig();
  $("version").textContent = `Beekeepr ${config.version}`;
  if (!window.Hls) {
    notice(missing(config) ?? "hls.js could not be loaded; reload the page.");
    return;
  }
  const Engine = await loadEngine(config);
  state("state-client", Engine !== undefined, Engine ? "loaded" : "not loaded: everything comes over HTTP");
  showTabs(config, Engine);
  setInterval(() => show(config), SHOW_MS);
  // A server that is away for a moment changes nothing.
  setInterval(() => refreshChannels(config, Engine).catch(() => {}), CHANNELS_MS);
  const wanted = new URL(location.href).searchParams.get("channel");
  const channel = config.channels.find(({ name }) => name === wanted) ?? config.channels[0];
  if (!channel) {
    notice("No channel is configured. Start the server with --channel NAME=MANIFEST_URL, or with none for the demo channel.");
    return;
  }
  play(config, Engine, channel);
}

$("another").addEventListener("click", () => window.open(location.href, "_blank", POPUP));
$("copy").addEventListener("click", () => copy($("copy"), $("snippet").textContent));
start().catch((error) => notice(`The page could not start: ${error.message}`));
