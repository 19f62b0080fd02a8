// A page on which players play, each one stream through one engine, and tell all about it.
//
// `start(options)` begins; `report()` tells; `stop()` ends. Options: `engine` (URL or name of the module that
// exports HlsJsP2PEngine; empty for stock hls.js), `manifestUrl`, `hls` and `core` (configurations), `quality` (`high`
// or `low`: the rendition to stay at; `auto`: the player chooses). `place` tells the players of the page apart;
// who starts where another one plays takes its place.

import { Player } from './player.js';

const players = [];
const videos = [document.querySelector('video')];

window.start = async (options, place = 0) => {
  players[place]?.destroy();
  videos[place] ??= document.body.appendChild(videos[0].cloneNode());
  players[place] = new Player(videos[place]);
  await players[place].start(options);
};

window.report = (place = 0) => players[place].report();

window.switchTo = (quality, place = 0) => players[place].switchTo(quality);

window.stop = (place = 0) => players[place].destroy();
