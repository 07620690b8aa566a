// <surprisal-figure figure="fish-schooling" count="300">: a live figure in a frame. More: docs/EMBEDDING.md

const home = new URL('./', import.meta.url);
const named = (name) => !/^(figure|height|class|id|style|title|slot|part|hidden|lang|dir|tabindex|role|(data|aria)-.*|on.*)$/.test(name);
const anew = /^(figure|theme|backend|view\..*)$/;

class SurprisalFigure extends HTMLElement {
  #frame = null;
  #ready = false;
  #watch = new MutationObserver((list) => this.#changed(list));

  connectedCallback() {
    const frame = (this.#frame = document.createElement('iframe'));
    frame.part = 'frame';
    frame.loading = 'lazy';
    frame.title = this.title || `Surprisal: ${this.getAttribute('figure')}`;
    frame.allow = 'fullscreen; clipboard-write';
    frame.setAttribute('sandbox', 'allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox');
    frame.style.cssText = `display:block;width:100%;border:0;height:${parseFloat(this.getAttribute('height')) || 480}px`;
    frame.src = this.#address();
    (this.shadowRoot ?? this.attachShadow({ mode: 'open' })).replaceChildren(frame);
    addEventListener('message', this.#hear);
    this.#watch.observe(this, { attributes: true, attributeOldValue: true });
  }

  disconnectedCallback() {
    removeEventListener('message', this.#hear);
    this.#watch.disconnect();
    this.#ready = false;
  }

  run() { this.#say('run'); }
  pause() { this.#say('pause'); }
  get() { this.#say('get'); }

  #address() {
    const url = new URL(`embed/${encodeURIComponent(this.getAttribute('figure'))}.html`, home);
    for (const { name, value } of this.attributes) if (named(name)) url.searchParams.set(name, value);
    return url.href;
  }

  // A sandbox has no origin to name.
  #say(type, more) {
    this.#frame?.contentWindow?.postMessage({ surprisal: 1, type, ...more }, '*');
  }

  #hear = ({ source, data }) => {
    if (source !== this.#frame.contentWindow || data?.surprisal !== 1) return;
    const fire = (name) => this.dispatchEvent(new CustomEvent(name, { detail: data }));
    if (data.type === 'height') {
      this.#frame.style.height = `${data.height}px`;
      this.setAttribute('height', data.height);
    } else if (data.type === 'hello' && !this.#ready) {
      this.#ready = true;
      this.#say('hello');
      fire('ready');
    } else if (data.type === 'result' || data.type === 'error') fire(data.type);
  };

  #changed(list) {
    const names = [...new Set(list.map((change) => change.attributeName))];
    if (names.some((name) => anew.test(name))) {
      this.#ready = false;
      this.#frame.src = this.#address();
      return;
    }
    const parameters = {};
    for (const name of names) if (named(name)) parameters[name] = this.getAttribute(name);
    if (this.#ready && Object.keys(parameters).length) this.#say('set', { parameters });
  }
}

customElements.define('surprisal-figure', SurprisalFigure);
