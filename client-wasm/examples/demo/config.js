// What the server tells the page, seen from where the page was opened.

const LOCAL = new Set(["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::]", "::1", "::"]);

/** Reads `/config.json`. Addresses of "this machine" become those of the machine the page came from. */
export async function readConfig() {
  const response = await fetch("/config.json");
  if (!response.ok) throw new Error(`/config.json: status ${response.status}`);
  const config = await response.json();
  return {
    ...config,
    trackers: config.trackers.map(reachable),
    stun: unique(config.stun.map(reachableStun)),
    channels: config.channels.map((channel) => ({ ...channel, manifest: reachable(channel.manifest) })),
  };
}

/** The tracker and the origin are on the same machine as the page when they are on "this machine". */
function reachable(address) {
  const url = new URL(address, location.href);
  if (!LOCAL.has(url.hostname)) return url.href;
  url.hostname = location.hostname;
  // Some trackers compare paths: no slash where there was none.
  return address.endsWith("/") ? url.href : url.href.replace(/\/$/, "");
}

/** `stun:host:port` is no URL with a host for browsers. */
function reachableStun(address) {
  const [, host, port] = /^stun:(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(address) ?? [];
  if (!LOCAL.has(host)) return address;
  return `stun:${location.hostname}${port ?? ""}`;
}

function unique(list) {
  return [...new Set(list)];
}
