// A channel's settings: a new one's, or one that there is.

import { reason } from "../api.js";
import type { Context } from "../context.js";
import { action, attempt, failure, field, h, replace } from "../dom.js";
import { toChannel } from "../route.js";
import { type Fields, channel, fields } from "../settings.js";
import type { Channel, Report, Shown } from "../types.js";
import { told } from "./channels.js";

/** Labels and hints of what few channels need. */
const MORE: [key: keyof Fields, label: string, hint: string, isLong?: boolean][] = [
    ["swarm_id", "Swarm id", "What pages configure as swarmId. Default: the manifest’s address without its query."],
    ["swarm_id_parameters", "Parameters of the swarm id", "Of the manifest’s query, those that tell one stream from another: id, lang"],
    ["renditions", "Renditions", "all (the default), top, or a list: 720p, 1080p"],
    ["prefetch_s", "Prefetch", "Seconds back from the live edge that are fetched before anybody asks."],
    ["warm_s", "Warm-up", "Seconds of a stream on demand that are fetched before anybody asks."],
    ["fetch_bps_max", "Fetch limit", "Bits per second from the origin on average."],
    ["headers", "Headers", "For the origin, a line each: X-Key: value. Values are never shown again.", true],
    ["cookies", "Cookies", "For the origin, a line each: session: value. Values are never shown again.", true],
    ["allowed_hosts", "Further hosts", "That the channel may fetch from: *.cdn.example", true],
    ["failover", "Failover", "Servers with the same paths: https://backup.example", true],
    ["proxy", "Proxy", "On the way to its origins; none for none."],
];

export function editor(context: Context, name: string | undefined): HTMLElement {
    const place = h("div");
    const title = name === undefined ? "New channel" : `Edit ${name}`;
    if (name === undefined) {
        place.append(form(context, undefined));
    } else {
        context.api.get<Shown<Channel>>(path(name)).then(
            (known) => replace(place, form(context, known)),
            (error) => replace(place, failure(reason(error))),
        );
    }
    return h("div", { class: "stack narrow" }, h("h1", {}, title), place);
}

function path(name: string): string {
    return `/v1/channels/${encodeURIComponent(name)}`;
}

function form(context: Context, known: Shown<Channel> | undefined): HTMLElement {
    const values = fields(known?.config ?? { manifest: "" });
    const name = h("input", { required: true, maxlength: 64, value: known?.name ?? "", readonly: known !== undefined });
    const manifest = h("input", { type: "text", inputmode: "url", required: true, value: values.manifest, placeholder: "https://…" });
    const inputs = new Map<keyof Fields, HTMLInputElement | HTMLTextAreaElement>([["manifest", manifest]]);
    const more = MORE.map(([key, label, hint, isLong]) => {
        const input = isLong ? h("textarea", { rows: 3 }, values[key]) : h("input", { value: values[key] });
        inputs.set(key, input);
        return field(label, input, hint);
    });
    const read = () => {
        const filled = { ...values };
        for (const [key, input] of inputs) {
            filled[key] = input.value;
        }
        return channel(filled);
    };
    const said = h("div", { role: "status" });
    const test = action("Test", said, async () => {
        const config = read();
        said.append(h("p", {}, "Reading the manifest …"));
        const report = await context.api.send<Report>("POST", `${path(name.value.trim() || "test")}/check`, { config });
        replace(said, told(name.value.trim() || "The channel", report));
    });
    const save = h("button", { class: "primary" }, "Save");
    const write = async () => {
        const state: Record<string, string> = known ? { "if-match": known.etag } : { "if-none-match": "*" };
        const made = await context.api.send<Shown<Channel>>("PUT", path(name.value.trim()), read(), state);
        location.hash = toChannel(made.name);
    };
    const isSet = MORE.some(([key]) => values[key] !== "");
    return h(
        "form",
        {
            class: "card",
            onsubmit: (event: Event) => {
                event.preventDefault();
                void attempt(save, said, write);
            },
        },
        field("Name", name, known ? "A channel keeps its name." : "Letters, digits, spaces, “.”, “-” and “_”."),
        field("Manifest", manifest, "The address of its HLS or DASH manifest."),
        h("details", { open: isSet }, h("summary", {}, "More settings"), ...more),
        h("div", { class: "row" }, save, test, h("a", { class: "button", href: "#/channels" }, "Cancel")),
        said,
    );
}
