// Viewers' tokens, the keys that sign them, and the keys of this API.

import { reason } from "../api.js";
import { type Context, refreshing, seesWhole } from "../context.js";
import { action, attempt, confirmed, copyable, empty, failure, field, h, replace, table } from "../dom.js";
import { moment } from "../format.js";
import type { Shown } from "../types.js";

interface TokenMade {
    token: string;
    id: string;
    expires_s: number;
}

export function tokensPage(context: Context): HTMLElement {
    const isOwner = context.session.role === "owner";
    return h(
        "div",
        { class: "stack" },
        h("h1", {}, "Tokens and keys"),
        issue(context),
        revocations(context),
        seesWhole(context.session) && signingKeys(context, isOwner),
        isOwner && apiKeys(context),
    );
}

function issue(context: Context): HTMLElement {
    const subject = h("input", { maxlength: 256 });
    const swarms = h("input", { placeholder: "all" });
    const lifetime = h("input", { type: "number", min: 1, value: 600, required: true });
    const isSuperPeer = h("input", { type: "checkbox" });
    const [button, said] = [h("button", { class: "primary" }, "Issue"), h("div", { role: "status" })];
    const make = async () => {
        const named = swarms.value.split(/[\s,]+/).filter((it) => it !== "");
        const made = await context.api.send<TokenMade>("POST", "/v1/tokens", {
            lifetime_s: Number(lifetime.value),
            role: isSuperPeer.checked ? "superpeer" : "viewer",
            ...(subject.value.trim() && { subject: subject.value.trim() }),
            ...(named.length > 0 && { swarms: named }),
        });
        const note = `It is kept nowhere. To revoke it: ${made.id}. It ends ${moment(made.expires_s * 1000)}.`;
        said.append(copyable("Token", made.token), h("p", {}, note));
    };
    return card(
        "Issue a token",
        form(button, said, make, [
            field("Subject", subject, "Who holds it; two connections of one subject are one viewer."),
            field("Swarm ids", swarms, "Which swarms it opens, separated by commas; “*” stands for anything."),
            field("Seconds", lifetime, "How long it counts."),
            context.session.tenant === undefined && field("For a super-peer", isSuperPeer),
        ]),
        said,
    );
}

function revocations(context: Context): HTMLElement {
    const id = h("input", { required: true, maxlength: 64 });
    const why = h("input", { maxlength: 128 });
    const [button, said, place] = [h("button", {}, "Revoke"), h("div", { role: "status" }), h("div")];
    const refresh = list(context, place, "revocations", async () => {
        const revoked = await context.api.all<Shown<{ reason: string; expires_s: number }>>("/v1/revocations");
        const rows = revoked.map((it) => [
            it.name,
            it.config.reason || "–",
            moment(it.config.expires_s * 1000),
            action("Let it count again", said, async () => {
                await context.api.send("DELETE", named("revocations", it.name), undefined, { "if-match": it.etag });
                refresh();
            }),
        ]);
        return rows.length > 0 ? table("Revoked tokens", ["Token", "Reason", "Until", ""], rows) : empty("No token is revoked.");
    });
    const revoke = async () => {
        await context.api.send("PUT", named("revocations", id.value.trim()), { reason: why.value.trim(), expires_s: 0 });
        id.value = "";
        refresh();
    };
    const fields = [field("Token’s id", id, "What was shown when it was issued (jti)."), field("Reason", why)];
    return card("Revoked tokens", form(button, said, revoke, fields), said, place);
}

function signingKeys(context: Context, isOwner: boolean): HTMLElement {
    const [said, place] = [h("div", { role: "status" }), h("div")];
    const refresh = list(context, place, "signing-keys", async () => {
        const { items } = await context.api.get<{ items: Shown<{ signs: boolean }>[] }>("/v1/signing-keys");
        const rows = items.map((it) => [
            it.name,
            it.config.signs ? "signs" : "counts for what it has signed",
            moment(it.created_ms),
            it.expires_ms ? moment(it.expires_ms) : "–",
        ]);
        return rows.length > 0
            ? table("Signing keys", ["Key", "", "Since", "Until"], rows)
            : empty("There is none yet; the first token makes one.");
    });
    const rotate = action("Make a new signing key", said, async () => {
        await context.api.send("POST", "/v1/signing-keys");
        refresh();
    });
    return card("Signing keys", said, place, isOwner && h("div", { class: "row" }, rotate));
}

function apiKeys(context: Context): HTMLElement {
    const title = h("input", { maxlength: 128, required: true });
    const roles = ["operator", "viewer", "seeder", "owner"].map((it) => h("option", {}, it));
    const role = h("select", {}, ...roles);
    const [button, said, place] = [h("button", {}, "Make"), h("div", { role: "status" }), h("div")];
    const refresh = list(context, place, "keys", async () => {
        const keys = await context.api.all<Shown<{ title: string; role: string }>>("/v1/keys");
        const rows = keys.map((it) => [it.config.title || "–", it.name, it.config.role, moment(it.created_ms), end(it)]);
        return table("API keys", ["Title", "Name", "Role", "Since", ""], rows);
    });
    const end = (it: Shown<{ title: string }>) =>
        action(
            "End",
            said,
            async () => {
                if (await confirmed(`End the key ${it.config.title || it.name}? Who uses it is signed out at once.`, "End it")) {
                    await context.api.send("DELETE", named("keys", it.name), undefined, { "if-match": it.etag });
                    refresh();
                }
            },
            "danger",
        );
    const make = async () => {
        const made = await context.api.send<{ key: string }>("POST", "/v1/keys", { title: title.value.trim(), role: role.value });
        said.append(copyable("API key", made.key), h("p", {}, "It is shown this once."));
        title.value = "";
        refresh();
    };
    return card("API keys", form(button, said, make, [field("Title", title), field("Role", role)]), said, place);
}

function named(kind: string, name: string): string {
    return `/v1/${kind}/${encodeURIComponent(name)}`;
}

function card(title: string, ...children: (Node | false)[]): HTMLElement {
    return h("section", { class: "card", "aria-label": title }, h("h2", {}, title), ...children);
}

function form(button: HTMLButtonElement, said: HTMLElement, act: () => Promise<void>, fields: (HTMLElement | false)[]): HTMLElement {
    const submit = (event: Event) => {
        event.preventDefault();
        void attempt(button, said, act);
    };
    return h("form", { class: "fields", onsubmit: submit }, ...fields, h("div", { class: "row" }, button));
}

/** A list that is read anew when something changes. */
function list(context: Context, place: HTMLElement, kind: string, make: () => Promise<HTMLElement>): () => void {
    const failed = (error: unknown) => replace(place, failure(`${kind}: ${reason(error)}`));
    const refresh = refreshing(context, async () => replace(place, await make()), failed);
    refresh();
    context.onClose(context.news.listen({ changed: refresh }));
    return refresh;
}
