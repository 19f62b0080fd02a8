// In the browser: what the engine of p2p-media-loader knows of a DASH stream, once every segment
// index has been made and read by the engine's own segment manager.

import { snapshot, until } from './engine.mjs';

/** 2.3 was not released for Shaka Player: its page has no such package. */
const loaded = import('p2p-media-loader-shaka').catch(() => null);

/** Where an index is asked for segments; live ones begin after those that have left. */
const POSITIONS = [...Array(1_000).keys()];

/** An index that is empty for longer stays so. */
const INDEX_MS_MAX = 5_000;

window.readDash = async (url) => {
  const { ShakaP2PEngine } = (await loaded) ?? {};
  const parsers = captureParsers(() => ShakaP2PEngine.registerPlugins(window.shaka));
  const player = new window.shaka.Player();
  const engine = new ShakaP2PEngine({ core: { announceTrackers: [] } }, window.shaka);
  engine.bindShakaPlayer(player);
  await player.attach(document.querySelector('video'));
  const parsed = overhear(parsers);
  const loading = player.load(url);
  // Without segments, playback fails in the end; by then everything has been read.
  const failed = new Promise((_, fail) => loading.catch(fail));
  const { variants } = await Promise.race([parsed, failed]);
  const streams = new Set(variants.flatMap(({ video, audio }) => [video, audio].filter(Boolean)));
  for (const stream of streams) {
    await stream.createSegmentIndex();
    // The player makes the same index; of several periods it is empty until all have theirs.
    const list = () => POSITIONS.map((position) => stream.segmentIndex.get(position)).filter(Boolean);
    await until(() => list().length > 0, INDEX_MS_MAX);
    engine.segmentManager.updateStreamSegments(stream, list());
  }
  return { ...snapshot(engine.core), variants: variants.map(describe) };
};

/** The manifest parsers that `register` hands to Shaka. */
function captureParsers(register) {
  const { ManifestParser } = window.shaka.media;
  const original = ManifestParser.registerParserByMime;
  const parsers = new Map();
  ManifestParser.registerParserByMime = (mime, factory) => parsers.set(mime, factory);
  register();
  ManifestParser.registerParserByMime = original;
  return parsers;
}

/** Gives Shaka the engine's parsers and gives the manifest that one of them returns. */
function overhear(parsers) {
  return new Promise((done) => {
    for (const [mime, factory] of parsers) {
      window.shaka.media.ManifestParser.registerParserByMime(mime, () => {
        const parser = factory();
        const start = parser.start.bind(parser);
        parser.start = async (...args) => {
          const manifest = await start(...args);
          done(manifest);
          return manifest;
        };
        return parser;
      });
    }
  });
}

/** What 2.3's adapter for Shaka reads of a variant. */
function describe({ bandwidth, video, audio }) {
  const of = (stream) =>
    stream && {
      runtimeId: String(stream.id),
      representation: stream.originalId,
      codecs: stream.codecs,
      width: stream.width,
      height: stream.height,
      frameRate: stream.frameRate,
      hdr: stream.hdr,
      language: stream.language,
      channelsCount: stream.channelsCount,
      label: stream.label,
    };
  return { bandwidth, video: of(video), audio: of(audio) };
}
