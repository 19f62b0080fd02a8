// Dark or light: as the system says, unless the operator chose.

import { h } from "./dom.js";

const KEY = "beekeepr-theme";
const NEXT: Record<string, string> = { "": "dark", dark: "light", light: "" };
const NAMES: Record<string, string> = { "": "Theme: system", dark: "Theme: dark", light: "Theme: light" };

export function themeButton(): HTMLElement {
    const button = h("button", { type: "button", class: "quiet" });
    const show = (theme: string) => {
        if (theme === "") {
            delete document.documentElement.dataset["theme"];
        } else {
            document.documentElement.dataset["theme"] = theme;
        }
        button.textContent = NAMES[theme] ?? "";
        dispatchEvent(new Event("theme"));
    };
    button.addEventListener("click", () => {
        const theme = NEXT[stored()] ?? "";
        localStorage.setItem(KEY, theme);
        show(theme);
    });
    show(stored());
    return button;
}

function stored(): string {
    const theme = localStorage.getItem(KEY) ?? "";
    return theme in NEXT ? theme : "";
}
