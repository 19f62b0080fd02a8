// Which page an address stands for: what follows the `#`.

export type Route =
    | { page: "overview" | "channels" | "new-channel" | "tokens" | "servers" | "missing" }
    | { page: "channel" | "edit-channel"; name: string };

export function route(hash: string): Route {
    const [first = "", second, third, ...rest] = hash.replace(/^#?\/?/, "").split("/").map(decode);
    if (rest.length > 0) {
        return { page: "missing" };
    }
    switch (first) {
        case "":
            return { page: "overview" };
        case "tokens":
        case "servers":
            return { page: second === undefined ? first : "missing" };
        case "channels":
            return second === undefined ? { page: "channels" } : channel(second, third);
        case "new-channel":
            return { page: "new-channel" };
        default:
            return { page: "missing" };
    }
}

function channel(name: string, what: string | undefined): Route {
    if (what === undefined) {
        return { page: "channel", name };
    }
    return what === "edit" ? { page: "edit-channel", name } : { page: "missing" };
}

export function toChannel(name: string, what?: "edit"): string {
    return `#/channels/${encodeURIComponent(name)}${what ? `/${what}` : ""}`;
}

/** What is wrongly escaped stands for itself. */
function decode(text: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}
