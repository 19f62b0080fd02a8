// The way in.

import type { Api } from "../api.js";
import { attempt, failure, field, h } from "../dom.js";
import type { Session } from "../types.js";

export function signIn(api: Api, signedIn: (session: Session) => void): HTMLElement {
    const key = h("input", { type: "password", required: true, autocomplete: "current-password", autofocus: true });
    const button = h("button", { class: "primary" }, "Sign in");
    const said = h("div");
    const form = h(
        "form",
        {
            class: "card sign-in",
            onsubmit: (event: Event) => {
                event.preventDefault();
                void attempt(button, said, async () => signedIn(await api.signIn(key.value.trim())));
            },
        },
        h("h1", {}, "Beekeepr"),
        field("API key", key, "The owner’s key was shown once, when control first started. It begins with “bk_”."),
        button,
        // Browsers keep the session's cookie only where nobody can read it on the way.
        !isSecureContext && failure("This address is neither HTTPS nor this machine’s own, so you cannot stay signed in here."),
        said,
    );
    return h("main", { class: "centre" }, form);
}
