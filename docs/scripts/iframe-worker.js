// Lets the search work in pages that were opened from the disk. Browsers start no Worker there, so a
// hidden frame runs the Worker's script. The file's name tells MkDocs Material to load nothing else
// for this purpose from another host.
if (location.protocol === "file:") {
  // The script that runs looks for this name.
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      inside.importScripts = async (...urls) => {
        for (const each of urls) await load(inside, each);
      };
      this.inside = load(inside, url).then(() => inside);
    }

    postMessage(data) {
      this.inside.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };

  const load = (inside, url) =>
    new Promise((loaded, failed) => {
      const script = inside.document.createElement("script");
      Object.assign(script, { src: url, onload: loaded, onerror: failed });
      inside.document.body.append(script);
    });
}
