// The snippet for other pages: the same few lines that this page plays with.

/** HTML that plays a channel with stock hls.js and the client from this server. */
export function snippet(config, channel) {
  const quoted = (text) => JSON.stringify(text);
  const list = (texts) => texts.map(quoted).join(", ");
  const token = config.wantsTokens
    ? `
        // From your server: a JWT for this viewer, signed with one of tracker.tokens.keys.
        token: () => fetch("/your-token").then((answer) => answer.text()),`
    : "";
  return `<video id="video" controls muted autoplay playsinline></video>
<script src="${location.origin}/vendor/hls.min.js"></script>
<script type="module">
  import { HlsJsP2PEngine } from "${location.origin}/client/beekeepr-hlsjs.js";
  const hls = new (HlsJsP2PEngine.injectMixin(Hls))({
    p2p: {
      core: {
        swarmId: ${quoted(channel.swarmId)},
        announceTrackers: [${list(config.trackers)}],${token}
        rtcConfig: { iceServers: [{ urls: [${list(config.stun)}] }] },
      },
    },
  });
  hls.attachMedia(document.getElementById("video"));
  hls.loadSource(${quoted(channel.manifest)});
</script>`;
}

/** Copies text and says so on the button. */
export async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Only pages from https or this machine may write the clipboard.
    button.textContent = "Select and copy by hand";
  }
  setTimeout(() => (button.textContent = "Copy"), 2_000);
}
