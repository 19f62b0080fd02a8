// @ts-check
// A browser learns its address from our STUN server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GATHERING_MS_MAX, ONLY } from '../harness/settings.mjs';
import { stage } from '../harness/stage.mjs';

const NAME = 'a browser gathers a server-reflexive candidate from our STUN server';

if (!ONLY || ONLY.test(NAME)) {
  test(NAME, async () => {
    const [browser, site, stun] = await Promise.all([stage.browser(), stage.site(), stage.stun()]);
    const answersBefore = await stun.metric('beekeepr_stun_replies_total');
    const page = await browser.newPage();
    try {
      await page.goto(`${site.url}/page/viewer.html`);
      const candidates = await page.evaluate(gather, { urls: stun.address, waitMs: GATHERING_MS_MAX });
      const reflexive = candidates.filter((it) => it.type === 'srflx');
      assert.notEqual(reflexive.length, 0, `gathered only ${JSON.stringify(candidates)}`);
      for (const { address, port } of reflexive) {
        assert.match(address, /^[0-9a-f.:]+$/, 'an address, not a .local name');
        assert.ok(port > 0, `port ${port}`);
      }
    } finally {
      await page.close();
    }
    assert.ok((await stun.metric('beekeepr_stun_replies_total')) > answersBefore, 'the server counts what it answers');
  });
}

/** Runs in the page. @param {{ urls: string, waitMs: number }} options */
async function gather({ urls, waitMs }) {
  const connection = new RTCPeerConnection({ iceServers: [{ urls }] });
  /** @type {{ type: string | null, address: string, port: number }[]} */
  const candidates = [];
  const finished = new Promise((resolve) => {
    connection.addEventListener('icecandidate', ({ candidate }) => {
      if (!candidate) resolve(undefined);
      else candidates.push({ type: candidate.type, address: candidate.address ?? '', port: candidate.port ?? 0 });
    });
    setTimeout(resolve, waitMs);
  });
  connection.createDataChannel('any');
  await connection.setLocalDescription();
  await finished;
  connection.close();
  return candidates;
}
