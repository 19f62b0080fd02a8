// @ts-check
// Starts the real binary's roles, waits for their ready line, and ends or kills them.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { BINARY, HOST, LOG_LINES_MAX, READY_MS_MAX, STOP_MS_MAX } from './settings.mjs';

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
// However a run ends, it leaves no server behind.
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));

/** One running role. */
export class Role {
  /** @type {string[]} */
  #log = [];
  /** @type {Record<string, string>} what the ready line says */
  ready = {};

  /**
   * @param {string} name
   * @param {import('node:child_process').ChildProcessWithoutNullStreams} child
   */
  constructor(name, child) {
    this.name = name;
    this.child = child;
    this.exited = once(child, 'exit').finally(() => children.delete(child));
    children.add(child);
    createInterface({ input: child.stderr }).on('line', (line) => this.#keep(line));
  }

  /** The last lines it logged. */
  get log() {
    return this.#log;
  }

  /** Where it listens, as its ready line gives it; the first address when there are several. */
  get address() {
    return this.ready.listen.split(',')[0];
  }

  /** Whether it has not ended yet. */
  get running() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /**
   * The sum of all samples of one of its metrics.
   * @param {string} name
   */
  async metric(name) {
    const text = await (await fetch(`${this.ready.admin}/metrics`)).text();
    const samples = [...text.matchAll(/^([a-z0-9_]+)(?:{.*})? (\S+)$/gm)];
    return samples.reduce((sum, [, sample, value]) => (sample === name ? sum + Number(value) : sum), 0);
  }

  /** Ends it as a crash would. */
  async kill9() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Ends it as an operator would. */
  async stop() {
    if (!this.running) return;
    this.child.kill('SIGTERM');
    const impatience = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX);
    await this.exited;
    clearTimeout(impatience);
  }

  /** Waits for the line that says it is ready. */
  async waitUntilReady() {
    const lines = createInterface({ input: this.child.stdout });
    const timeout = AbortSignal.timeout(READY_MS_MAX);
    const line = new Promise((found, failed) => {
      lines.on('line', (text) => {
        this.#keep(text);
        if (text.startsWith('ready ')) found(text);
      });
      this.exited.then(([code]) => failed(new Error(`ended with code ${code}`)));
      timeout.addEventListener('abort', () => failed(new Error(`not ready after ${READY_MS_MAX} ms`)));
    });
    const words = (await line.catch((error) => this.#fail(error))).split(' ').slice(1);
    this.ready = Object.fromEntries(words.map((/** @type {string} */ word) => word.split(/=(.*)/s)));
  }

  /** @returns {never} */
  #fail(/** @type {Error} */ error) {
    this.child.kill('SIGKILL');
    throw new Error(`${this.name}: ${error.message}; its log:\n${this.#log.join('\n')}`);
  }

  #keep(/** @type {string} */ line) {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES_MAX) this.#log.shift();
  }
}

/**
 * @param {string} role the binary's subcommand
 * @param {string[]} args
 * @param {Record<string, string>} [env] more of the environment
 */
async function startRole(role, args, env) {
  if (!existsSync(BINARY)) {
    throw new Error(`no binary at ${BINARY}: build it with \`cargo build -p beekeepr\` or set BEEKEEPR_BIN`);
  }
  const child = spawn(BINARY, [role, ...args], { stdio: 'pipe', env: { ...process.env, ...env } });
  const started = new Role(role, child);
  await started.waitUntilReady();
  return started;
}

const ADMIN = ['--admin-listen', '127.0.0.1:0'];

export const startTracker = () => startRole('tracker', ['--listen', `${HOST}:0`, ...ADMIN]);

export const startStun = () => startRole('stun', ['--listen', `${HOST}:0`, ...ADMIN]);

/** @param {{ manifestUrl: string, tracker: string }} where */
export const startSeeder = ({ manifestUrl, tracker }) =>
  startRole('seeder', ['--channel', `e2e=${manifestUrl}`, '--tracker', tracker, '--udp', `${HOST}:0`, ...ADMIN]);

/** Everything in one process with the demo channel; the page's address comes first in `listen`. */
export const startUp = () =>
  startRole('up', [], {
    BEEKEEPR_WEB__LISTEN: '127.0.0.1:0',
    BEEKEEPR_TRACKER__LISTEN: '127.0.0.1:0',
    BEEKEEPR_STUN__LISTEN: '127.0.0.1:0',
    BEEKEEPR_ADMIN__LISTEN: '127.0.0.1:0',
  });

/** Something at a tracker's address that takes connections and never says a word; stopped, it refuses them. */
export async function deafTracker() {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const server = createServer((socket) => sockets.add(socket));
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const stop = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { address: `ws://127.0.0.1:${port}`, stop };
}
