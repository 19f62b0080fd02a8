// @ts-check
// What a DASH manifest says of a stream (ISO/IEC 23009-1).

import { KEY_ID } from './cenc.mjs';
import { SEGMENT_S } from './settings.mjs';

/**
 * @typedef {import('./cmaf-stream.mjs').CmafStream} CmafStream
 * @typedef {import('./cmaf.mjs').Track} Track
 * @typedef {object} Span one period
 * @property {number} number counted from the first one of the stream
 * @property {number} from its first segment, counted from the first one of the stream
 * @property {[number, number]} listed of its segments, the latter excluded
 */

/** Segments a live manifest lists: a minute, as is usual for DASH. */
export const WINDOW_SEGMENTS = 30;
/** Where there are several periods. */
export const PERIOD_SEGMENTS = 10;
/** The number of the first segment. Not zero, lest a place be mistaken for a number. */
export const FIRST_NUMBER = 1000;

/** Seconds until the manifest is asked for again: where it lists segments it must be soon. */
const UPDATE_S = { timeline: SEGMENT_S, number: 20 };

const NAMESPACES = [
  'xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013"',
  'xmlns:dashif="https://dashif.org/CPS"',
].join(' ');

/** The whole manifest, as it is now. */
export function mpd(/** @type {CmafStream} */ stream) {
  const { shape } = stream.options;
  const profile = `profiles="urn:mpeg:dash:profile:isoff-${shape === 'sidx' ? 'on-demand' : 'live'}:2011"`;
  const length = stream.segmentCount * SEGMENT_S;
  const kind = stream.live
    ? [
        `type="dynamic" availabilityStartTime="${isoOf(stream.epochMs)}" publishTime="${isoOf(Date.now())}"`,
        `minimumUpdatePeriod="PT${UPDATE_S[shape === 'timeline' ? shape : 'number']}S"`,
        `timeShiftBufferDepth="PT${WINDOW_SEGMENTS * SEGMENT_S}S" maxSegmentDuration="PT${SEGMENT_S}S"`,
      ].join(' ')
    : `type="static" mediaPresentationDuration="PT${length}S"`;
  const clock = `<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="${stream.baseUrl}/time"/>`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<MPD ${NAMESPACES} ${profile} ${kind} minBufferTime="PT${SEGMENT_S}S">`,
    ...spansOf(stream).map((span) => period(stream, span)),
    ...(stream.live ? [clock] : []),
    '</MPD>',
  ].join('\n');
}

const isoOf = (/** @type {number} */ ms) => new Date(ms).toISOString();

/** @returns {Span[]} the periods that have listed segments */
function spansOf(/** @type {CmafStream} */ { listed: [from, to], options }) {
  if (!options.periods) return [{ number: 0, from: 0, listed: [from, to] }];
  const first = Math.floor(from / PERIOD_SEGMENTS);
  const last = Math.floor((to - 1) / PERIOD_SEGMENTS);
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const begins = (first + i) * PERIOD_SEGMENTS;
    return { number: first + i, from: begins, listed: [Math.max(from, begins), Math.min(to, begins + PERIOD_SEGMENTS)] };
  });
}

function period(/** @type {CmafStream} */ stream, /** @type {Span} */ span) {
  const start = `id="p${span.number}" start="PT${span.from * SEGMENT_S}S"`;
  const sets = ['video', 'audio'].map((type) => adaptationSet(stream, span, stream.tracks.filter((it) => it.type === type)));
  return `<Period ${start}>\n${sets.join('\n')}\n</Period>`;
}

/**
 * @param {CmafStream} stream
 * @param {Span} span
 * @param {Track[]} tracks
 */
function adaptationSet(stream, span, tracks) {
  const [{ type, encrypted }] = tracks;
  const language = type === 'audio' ? ' lang="en"' : '';
  return [
    `<AdaptationSet id="${type === 'video' ? 1 : 2}" contentType="${type}"${language} segmentAlignment="true" startWithSAP="1">`,
    ...(encrypted ? [protection(stream)] : []),
    ...tracks.map((track) => representation(stream, span, track)),
    '</AdaptationSet>',
  ].join('\n');
}

function protection(/** @type {CmafStream} */ { baseUrl }) {
  const keyId = KEY_ID.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const licence = `<dashif:Laurl Lic_type="EME-1.0">${baseUrl}/licence</dashif:Laurl>`;
  return [
    `<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc" cenc:default_KID="${keyId}"/>`,
    `<ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" value="ClearKey1.0">${licence}</ContentProtection>`,
  ].join('\n');
}

/**
 * @param {CmafStream} stream
 * @param {Span} span
 * @param {Track} track
 */
function representation({ options: { shape } }, span, track) {
  const content = { hls: template, number: template, timeline, sidx: base }[shape](track, span);
  return `<Representation id="${track.id}" ${track.attributes}>\n${content}\n</Representation>`;
}

/** What is common to both ways of a template. */
function templateHead(/** @type {Track} */ { timescale }, /** @type {Span} */ { from }, /** @type {string} */ media) {
  const offset = `presentationTimeOffset="${from * SEGMENT_S * timescale}"`;
  return `<SegmentTemplate timescale="${timescale}" ${offset} initialization="$RepresentationID$/init.mp4" media="${media}"`;
}

function template(/** @type {Track} */ track, /** @type {Span} */ span) {
  const head = templateHead(track, span, '$RepresentationID$/$Number$.m4s');
  return `${head} startNumber="${FIRST_NUMBER + span.from}" duration="${SEGMENT_S * track.timescale}"/>`;
}

function timeline(/** @type {Track} */ track, /** @type {Span} */ { listed: [from, to], ...span }) {
  const head = templateHead(track, { ...span, listed: [from, to] }, '$RepresentationID$/t$Time$.m4s');
  const lengths = track.segments.slice(from, to).map(({ ticks }) => ticks);
  /** @type {{ ticks: number, count: number }[]} */
  const runs = [];
  for (const ticks of lengths) {
    const run = runs.at(-1);
    if (run?.ticks === ticks) run.count += 1;
    else runs.push({ ticks, count: 1 });
  }
  const entry = (/** @type {typeof runs[0]} */ { ticks, count }, /** @type {number} */ i) =>
    `<S${i === 0 ? ` t="${startOf(track, from)}"` : ''} d="${ticks}"${count > 1 ? ` r="${count - 1}"` : ''}/>`;
  return `${head}><SegmentTimeline>${runs.map(entry).join('')}</SegmentTimeline></SegmentTemplate>`;
}

/** Where a segment begins, in the track's time scale. */
export function startOf(/** @type {Track} */ { segments }, /** @type {number} */ i) {
  return segments.slice(0, i).reduce((sum, { ticks }) => sum + ticks, 0);
}

function base(/** @type {Track} */ { id, timescale, index, init }) {
  const end = init.bytes + index.bytes - 1;
  return [
    `<BaseURL>${id}.mp4</BaseURL>`,
    `<SegmentBase timescale="${timescale}" indexRange="${init.bytes}-${end}"><Initialization range="0-${init.bytes - 1}"/></SegmentBase>`,
  ].join('\n');
}
