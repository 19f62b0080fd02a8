// Making elements. Texts are texts: nothing here reads HTML.

import { reason } from "./api.js";

export type Child = Node | string | undefined | false;
type Handler = (event: Event) => void;
type Attributes = Record<string, string | number | boolean | undefined | Handler>;

/** An element with attributes, handlers (`onclick`) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
    name: K,
    attributes: Attributes = {},
    ...children: Child[]
): HTMLElementTagNameMap[K] {
    return fill(document.createElement(name), attributes, children);
}

/** The same in SVG. */
export function svg(name: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
    return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") {
            element.addEventListener(name.slice(2), value);
        } else if (value !== undefined && value !== false) {
            element.setAttribute(name, value === true ? "" : String(value));
        }
    }
    element.append(...children.filter((it): it is Node | string => it !== undefined && it !== false));
    return element;
}

export function replace(element: Element, ...children: Child[]): void {
    element.replaceChildren(...children.filter((it): it is Node | string => it !== undefined && it !== false));
}

/** A button that does something which takes a while: once at a time, and what goes wrong is told in `said`. */
export function action(label: string, said: HTMLElement, act: () => Promise<void>, kind = ""): HTMLButtonElement {
    const button = h("button", { type: "button", class: kind }, label);
    button.addEventListener("click", () => void attempt(button, said, act));
    return button;
}

export async function attempt(button: HTMLButtonElement, said: HTMLElement, act: () => Promise<void>): Promise<void> {
    button.disabled = true;
    replace(said);
    try {
        await act();
    } catch (error) {
        said.append(failure(reason(error)));
    } finally {
        button.disabled = false;
    }
}

export function failure(text: string): HTMLElement {
    return h("p", { class: "failure", role: "alert" }, text);
}

/** Where there is nothing to show: why, and what to do. */
export function empty(text: string, ...more: Child[]): HTMLElement {
    return h("p", { class: "empty" }, text, ...more);
}

let fields = 0;

/** A field with its label, and what to know of it. */
export function field(label: string, input: HTMLElement, hint?: string): HTMLElement {
    input.id = `field-${++fields}`;
    const hintId = `${input.id}-hint`;
    if (hint) {
        input.setAttribute("aria-describedby", hintId);
    }
    return h(
        "div",
        { class: "field" },
        h("label", { for: input.id }, label),
        input,
        hint ? h("small", { id: hintId }, hint) : undefined,
    );
}

/** Asks before something that cannot be taken back. */
export function confirmed(question: string, yes: string): Promise<boolean> {
    return new Promise((done) => {
        const close = (value: string) => () => dialog.close(value);
        const dialog = h(
            "dialog",
            { "aria-label": question },
            h("p", {}, question),
            h(
                "div",
                { class: "row" },
                h("button", { type: "button", class: "danger", onclick: close("yes") }, yes),
                h("button", { type: "button", autofocus: true, onclick: close("") }, "Cancel"),
            ),
        );
        dialog.addEventListener("close", () => {
            dialog.remove();
            done(dialog.returnValue === "yes");
        });
        document.body.append(dialog);
        dialog.showModal();
    });
}

/** A text to take along, with a button that copies it. */
export function copyable(label: string, text: string): HTMLElement {
    const said = h("span", { role: "status" });
    const copy = action("Copy", said, async () => {
        await navigator.clipboard.writeText(text);
        said.append("Copied");
    });
    return h("div", { class: "copyable" }, h("pre", { tabindex: 0, "aria-label": label }, text), h("div", { class: "row" }, copy, said));
}

/** A table that scrolls by itself on narrow screens. */
export function table(caption: string, heads: string[], rows: Child[][]): HTMLElement {
    const head = heads.map((it) => h("th", { scope: "col" }, it));
    const body = rows.map((cells) => h("tr", {}, ...cells.map((cell, index) => h("td", { "data-head": heads[index] }, cell))));
    return h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
        h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body)),
    );
}
