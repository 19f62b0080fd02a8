// A page on which players play, each one stream through one engine, and tell all about it.
//
// `start(options)` begins; `report()` tells; `stop()` ends. Options: `library` (empty for hls.js, else the URL of a
// build of Shaka Player), `engine` (URL or name of the module that exports HlsJsP2PEngine or ShakaP2PEngine; empty for
// the player alone), `manifestUrl`, `player` and `core` (configurations), `quality` (`high` or `low`: the rendition to
// stay at; `auto`: the player chooses). `place` tells the players of the page apart; who starts where another one
// plays takes its place.

const players = [];
const videos = [document.querySelector('video')];

window.start = async (options, place = 0) => {
  const { Player } = await import(options.library ? './shaka-player.js' : './hls-player.js');
  await players[place]?.destroy();
  videos[place] ??= document.body.appendChild(videos[0].cloneNode());
  players[place] = new Player(videos[place]);
  await players[place].start(options);
};

window.report = (place = 0) => players[place].report();

window.switchTo = (quality, place = 0) => players[place].switchTo(quality);

window.load = (manifestUrl, place = 0) => players[place].load(manifestUrl);

window.unload = (place = 0) => players[place].unload();

window.stop = (place = 0) => players[place].destroy();
