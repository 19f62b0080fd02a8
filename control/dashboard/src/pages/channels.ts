// Which channels there are, how they are, and why one is broken.

import { Refusal, reason } from "../api.js";
import { type Context, refreshing, seesWhole } from "../context.js";
import { action, confirmed, empty, failure, h, replace, table } from "../dom.js";
import { toChannel } from "../route.js";
import type { Channel, Report, Seeded, Shown } from "../types.js";

/** A channel from wherever it comes. */
interface Row {
    name: string;
    manifest: string;
    kept: Shown<Channel> | undefined;
    seeded: Seeded | undefined;
}

export function channelsPage(context: Context): HTMLElement {
    const [place, said] = [h("div"), h("div", { role: "status" })];
    const refresh = refreshing(
        context,
        async () => {
            const [kept, seeded] = await Promise.all([
                context.api.all<Shown<Channel>>("/v1/channels"),
                seesWhole(context.session) ? ofSeeder(context) : [],
            ]);
            replace(place, listed(context, joined(kept, seeded), said, refresh));
        },
        (error) => replace(place, failure(reason(error))),
    );
    refresh();
    context.onClose(context.news.listen({ statistics: refresh, changed: refresh }));
    return h(
        "div",
        { class: "stack" },
        h("div", { class: "bar" }, h("h1", {}, "Channels"), h("a", { class: "button primary", href: "#/new-channel" }, "Add a channel")),
        said,
        place,
    );
}

/** Where no seeder runs beside control there is nothing to know of one. */
async function ofSeeder(context: Context): Promise<Seeded[]> {
    try {
        return (await context.api.get<{ channels: Seeded[] }>("/v1/super-peers")).channels;
    } catch (error) {
        if (error instanceof Refusal && error.status === 404) {
            return [];
        }
        throw error;
    }
}

export function joined(kept: Shown<Channel>[], seeded: Seeded[]): Row[] {
    const rows = new Map<string, Row>();
    for (const it of kept) {
        rows.set(it.name, { name: it.name, manifest: it.config.manifest, kept: it, seeded: undefined });
    }
    for (const it of seeded) {
        const known = rows.get(it.name);
        rows.set(it.name, { name: it.name, manifest: it.manifest, kept: undefined, ...known, seeded: it });
    }
    return [...rows.values()].sort((a, b) => a.name.localeCompare(b.name));
}

function listed(context: Context, rows: Row[], said: HTMLElement, changed: () => void): HTMLElement {
    if (rows.length === 0) {
        return empty("There is no channel yet. ", h("a", { href: "#/new-channel" }, "Add the first one"), ".");
    }
    const shown = rows.map((row) => [
        h("a", { href: toChannel(row.name) }, row.name),
        h("span", { class: "address" }, row.manifest),
        state(row),
        row.kept ? changes(context, row.kept, said, changed) : "from the configuration",
    ]);
    return table("Channels", ["Channel", "Manifest", "State", ""], shown);
}

function state({ seeded }: Row): HTMLElement {
    if (!seeded) {
        return h("span", { class: "dim" }, "not seeded here");
    }
    const kind = seeded.live ? "live" : "on demand";
    const detail = seeded.state === "seeding" ? ` ${kind}, ${seeded.streams} stream${seeded.streams === 1 ? "" : "s"}` : "";
    return h(
        "div",
        {},
        h("span", { class: `state ${seeded.state}` }, seeded.state),
        detail,
        seeded.reason ? h("div", { class: "why" }, seeded.reason) : undefined,
    );
}

function changes(context: Context, kept: Shown<Channel>, said: HTMLElement, changed: () => void): HTMLElement {
    const path = `/v1/channels/${encodeURIComponent(kept.name)}`;
    const check = action("Test", said, async () => {
        said.append(h("p", {}, `Reading ${kept.name} …`));
        const report = await context.api.send<Report>("POST", `${path}/check`, {});
        replace(said, told(kept.name, report));
    });
    const remove = action(
        "Remove",
        said,
        async () => {
            if (!(await confirmed(`Remove ${kept.name}? Seeders leave its swarms at once; its statistics stay.`, "Remove"))) {
                return;
            }
            await context.api.send("DELETE", path, undefined, { "if-match": kept.etag });
            replace(said, h("p", {}, `${kept.name} is removed.`));
            changed();
        },
        "danger",
    );
    for (const button of [check, remove]) {
        button.setAttribute("aria-label", `${button.textContent} ${kept.name}`);
    }
    const edit = h("a", { class: "button", href: toChannel(kept.name, "edit"), "aria-label": `Edit ${kept.name}` }, "Edit");
    return h("div", { class: "row" }, check, edit, remove);
}

/** What was found of a channel. */
export function told(name: string, report: Report): HTMLElement {
    const items = [
        ...report.problems.map((it) => h("li", { class: "problem" }, it)),
        ...report.notes.map((it) => h("li", {}, `Note: ${it}`)),
    ];
    return h(
        "section",
        { class: `card report ${report.is_readable ? "good" : "bad"}`, "aria-label": `Test of ${name}` },
        h("strong", {}, report.is_readable ? `${name} can be seeded` : `${name} cannot be seeded`),
        h("p", {}, report.summary),
        items.length > 0 ? h("ul", {}, ...items) : undefined,
    );
}
