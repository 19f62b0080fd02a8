// When a player has something to show.

/** `HTMLMediaElement.HAVE_CURRENT_DATA`: a picture is there. */
const HAVE_CURRENT_DATA = 2;

/** A line on which the first picture takes longer needs the help of peers more than the processor's time. */
const FIRST_PICTURE_MS_MAX = 3_000;

/**
 * Waits for the first picture. To meet others makes ten and more connections at once: on a processor of a quarter of a desktop's
 * that took 0.6 s, by which the picture came later, and a live stream stayed behind for good.
 */
export function firstPicture(media: HTMLMediaElement | null | undefined): Promise<void> {
    if (!media || media.readyState >= HAVE_CURRENT_DATA) {
        return Promise.resolve();
    }
    return new Promise((resolve) => {
        const done = () => {
            clearTimeout(timer);
            media.removeEventListener("loadeddata", done);
            resolve();
        };
        const timer = setTimeout(done, FIRST_PICTURE_MS_MAX);
        media.addEventListener("loadeddata", done);
    });
}
