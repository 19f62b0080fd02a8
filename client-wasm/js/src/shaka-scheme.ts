// Shaka's scheme plugin for http and https. It is one for all players of a page: a request that a player's engine has
// marked goes there, every other one to Shaka's own plugin, as if we were not there.

import type { Operation, PluginArguments, Request, RequestContext, SchemePlugin, Shaka } from "./shaka-types.js";

/** Loads a request; nothing when Shaka's own plugin has to. */
export type Take = (context: RequestContext, ...request: PluginArguments) => Operation | undefined;

const SCHEMES = ["http", "https"] as const;

/** Who takes a request. Shaka hands the same object to its filters and to the plugin, also when it tries again. */
const marks = new WeakMap<Request, { take: Take; context: RequestContext }>();

/** Lets an engine have a request. */
export function mark(request: Request, context: RequestContext, take: Take): void {
    marks.set(request, { take, context });
}

/** Puts the plugin in the place of Shaka's own. */
export function register(shaka: Shaka): void {
    const plugin: SchemePlugin = (...request) => {
        const marked = marks.get(request[1]);
        return marked?.take(marked.context, ...request) ?? ownPlugin(shaka)(...request);
    };
    const { NetworkingEngine } = shaka.net;
    for (const scheme of SCHEMES) {
        NetworkingEngine.registerScheme(scheme, plugin, NetworkingEngine.PluginPriority.APPLICATION, true);
    }
}

/** Puts Shaka's own plugin back. */
export function unregister(shaka: Shaka): void {
    const { NetworkingEngine } = shaka.net;
    for (const scheme of SCHEMES) {
        NetworkingEngine.unregisterScheme(scheme);
        NetworkingEngine.registerScheme(scheme, ownPlugin(shaka), NetworkingEngine.PluginPriority.PREFERRED, true);
    }
}

/** What Shaka loads with when nobody else does. */
export function ownPlugin({ net: { HttpFetchPlugin, HttpXHRPlugin } }: Shaka): SchemePlugin {
    return HttpFetchPlugin.isSupported() ? HttpFetchPlugin.parse : HttpXHRPlugin.parse;
}
