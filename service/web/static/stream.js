// One event stream that survives servers and networks that go away.
// The browser reconnects by itself after network trouble; we start afresh when it gives up or the server asks for it.

const AFRESH_MS = [300, 1500];
const GAVE_UP_MS = 4000;

export function follow(url, handlers, onLink) {
  let source = null;

  function open() {
    source = new EventSource(url);
    source.addEventListener("open", () => onLink(true));
    source.addEventListener("error", () => {
      onLink(false);
      if (source.readyState === EventSource.CLOSED) setTimeout(open, GAVE_UP_MS);
    });
    source.addEventListener("resync", () => {
      source.close();
      onLink(false);
      setTimeout(open, AFRESH_MS[0] + Math.random() * (AFRESH_MS[1] - AFRESH_MS[0]));
    });
    for (const [name, handler] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handler(JSON.parse(event.data)));
    }
  }

  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
}
