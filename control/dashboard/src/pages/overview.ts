// All channels together, and what a gigabyte costs.

import { reason } from "../api.js";
import { canSee, type Context } from "../context.js";
import { attempt, empty, failure, field, h, replace, table } from "../dom.js";
import { originBps, share, sources, sum } from "../figures.js";
import { count, percent, rate } from "../format.js";
import { toChannel } from "../route.js";
import type { Live, Settings } from "../types.js";
import { statistics } from "./statistics.js";

export function overview(context: Context): HTMLElement {
    const figures = statistics(context, undefined);
    const channels = h("div");
    const show = (live: Live) => replace(channels, listed(context, live));
    context.onClose(context.news.listen({ statistics: show }));
    context.api.get<Live>("/v1/live").then(show, (error) => replace(channels, failure(reason(error))));
    return h(
        "div",
        { class: "stack" },
        h("h1", {}, "Overview"),
        figures.element,
        h("section", { class: "card" }, h("h2", {}, "Channels, last ten seconds"), channels),
        price(context, figures.refresh),
    );
}

function listed(context: Context, live: Live): HTMLElement {
    const watched = live.channels.filter((it) => it.channel !== undefined);
    if (watched.length === 0) {
        const text = "Nobody has reported in the last ten seconds. ";
        const hint = "Viewers appear here once a page with the client plays one of your ";
        const channels = h("a", { href: "#/channels" }, "channels");
        return canSee(context.session) ? empty(text, hint, channels, ".") : empty(text);
    }
    const rows = watched.map((point) => {
        const name = point.channel ?? "";
        const it = sum([point]);
        const shared = sources(it).all > 0 ? percent(share(it)) : "–";
        return [
            h("a", { href: toChannel(name) }, name),
            count(it.viewer_s / live.step_s),
            shared,
            rate(originBps(it, live.step_s)),
        ];
    });
    return table("Channels, last ten seconds", ["Channel", "Viewers", "Not over HTTP", "Origin"], rows);
}

/** What the owner pays; others see it beside the savings. */
function price(context: Context, changed: () => void): HTMLElement {
    const card = h("section", { class: "card" });
    if (context.session.role !== "owner" || context.session.tenant !== undefined) {
        card.hidden = true;
        return card;
    }
    const perGb = h("input", { type: "number", min: 0, step: "any", required: true, inputmode: "decimal" });
    const currency = h("input", { required: true, maxlength: 8, size: 8 });
    const [button, said] = [h("button", {}, "Save"), h("div")];
    let state = "";
    const read = async () => {
        const [settings, tag] = await context.api.tagged<Settings>("/v1/settings");
        state = tag;
        perGb.value = String(settings.price_per_gb_micros / 1e6);
        currency.value = settings.currency;
    };
    const write = async () => {
        const settings: Settings = { price_per_gb_micros: Math.round(Number(perGb.value) * 1e6), currency: currency.value.trim() };
        try {
            await context.api.send("PUT", "/v1/settings", settings, { "if-match": state });
        } finally {
            // Whether it was saved or somebody else was first: what is shown is what there is.
            await read();
        }
        said.append(h("p", { role: "status" }, "Saved."));
        changed();
    };
    const form = h(
        "form",
        {
            class: "fields",
            onsubmit: (event: Event) => {
                event.preventDefault();
                void attempt(button, said, write);
            },
        },
        field("Price of a GB from the CDN", perGb, "10⁹ bytes; savings are counted in it."),
        field("Currency", currency),
        h("div", { class: "row" }, button),
    );
    card.append(h("h2", {}, "Price"), form, said);
    read().catch((error) => said.append(failure(reason(error))));
    return card;
}
