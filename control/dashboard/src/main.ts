// The dashboard: who is not known signs in, who is sees a page at a time.

import "./style.css";
import { Api, Refusal, reason } from "./api.js";
import { canSee, type Context, seesWhole } from "./context.js";
import { empty, failure, h, replace } from "./dom.js";
import { LiveNews } from "./live.js";
import { channelPage } from "./pages/channel.js";
import { channelsPage } from "./pages/channels.js";
import { editor } from "./pages/editor.js";
import { overview } from "./pages/overview.js";
import { serversPage } from "./pages/servers.js";
import { signIn } from "./pages/sign-in.js";
import { tokensPage } from "./pages/tokens.js";
import { type Route, route } from "./route.js";
import { themeButton } from "./theme.js";
import type { Session } from "./types.js";

const app = document.querySelector("#app") as HTMLElement;
const api = new Api();

/** What ends when another page comes. */
let leave = () => {};

async function start(): Promise<void> {
    try {
        inside(await api.session());
    } catch (error) {
        if (error instanceof Refusal && error.status === 401) {
            outside();
        } else {
            const again = h("button", { type: "button", onclick: () => void start() }, "Try again");
            replace(app, h("main", { class: "centre" }, h("div", { class: "card" }, failure(reason(error)), again)));
        }
    }
}

function outside(): void {
    leave();
    document.title = "Sign in – Beekeepr";
    replace(app, signIn(api, inside));
    app.querySelector<HTMLElement>("input")?.focus();
}

function inside(session: Session): void {
    const news = new LiveNews();
    const [main, links] = [h("main", { id: "main", tabindex: -1 }), navigation(session)];
    const lost = h("p", { class: "lost", role: "status" });
    let closings: (() => void)[] = [];
    const close = () => {
        for (const closing of closings) {
            closing();
        }
        closings = [];
    };
    const show = () => {
        close();
        const context: Context = { api, news, session, onClose: (it) => closings.push(it) };
        const now = route(location.hash);
        replace(main, page(context, now));
        for (const link of links.querySelectorAll("a")) {
            const isHere = section(route(link.hash)) === section(now);
            link.setAttribute("aria-current", isHere ? "page" : "false");
        }
        document.title = `${main.querySelector("h1")?.textContent ?? ""} – Beekeepr`;
        scrollTo(0, 0);
    };
    const moved = () => {
        show();
        // Who listens to the page hears that it is another one.
        main.focus({ preventScroll: true });
    };
    leave = () => {
        removeEventListener("hashchange", moved);
        close();
        news.close();
        leave = () => {};
    };
    api.onSignedOut = outside;
    const signOut = () => void api.signOut().then(outside, outside);
    const out = h("button", { type: "button", class: "quiet", onclick: signOut }, "Sign out");
    const who = h("span", { class: "dim" }, `${session.title || "key"}, ${session.role}${session.tenant ? ` of ${session.tenant}` : ""}`);
    replace(
        app,
        h("a", { class: "skip", href: "#main", onclick: (event: Event) => (event.preventDefault(), main.focus()) }, "Skip to the page"),
        h("header", {}, h("strong", {}, "Beekeepr"), links, h("div", { class: "row" }, who, themeButton(), out)),
        lost,
        main,
    );
    addEventListener("hashchange", moved);
    news.open((is) => replace(lost, is ? undefined : "Live figures are interrupted; trying to connect again …"));
    show();
}

function navigation(session: Session): HTMLElement {
    const links: [string, string, boolean][] = [
        ["#/", "Overview", true],
        ["#/channels", "Channels", canSee(session)],
        ["#/tokens", "Tokens", canSee(session)],
        ["#/servers", "Servers", seesWhole(session)],
    ];
    const shown = links.filter(([, , may]) => may);
    return h("nav", { "aria-label": "Pages" }, ...shown.map(([href, name]) => h("a", { href }, name)));
}

/** Which of the links a page belongs to. */
function section({ page }: Route): string {
    return page.includes("channel") ? "channels" : page;
}

function page(context: Context, it: Route): HTMLElement {
    const needs = (may: boolean, make: () => HTMLElement) =>
        may ? make() : h("div", { class: "stack" }, h("h1", {}, "Not for this key"), empty("Sign in with an operator’s or owner’s key."));
    const may = canSee(context.session);
    switch (it.page) {
        case "overview":
            return overview(context);
        case "channels":
            return needs(may, () => channelsPage(context));
        case "channel":
            return channelPage(context, it.name);
        case "new-channel":
            return needs(may, () => editor(context, undefined));
        case "edit-channel":
            return needs(may, () => editor(context, it.name));
        case "tokens":
            return needs(may, () => tokensPage(context));
        case "servers":
            return needs(seesWhole(context.session), () => serversPage(context));
        case "missing":
            return h("div", { class: "stack" }, h("h1", {}, "There is no such page"), h("a", { href: "#/" }, "Overview"));
    }
}

void start();
