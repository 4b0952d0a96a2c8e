/** JSON as templates write it: single quotes, unquoted names and trailing commas are understood too.
 *
 * The developer guide's own samples say `labels="['Cat', 'Dog']"`. Values only: nothing is evaluated. */
export function parseRelaxed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return new Parser(text).document();
  }
}

class Parser {
  constructor(text) {
    this._text = text;
    this._at = 0;
  }

  document() {
    const value = this._value();
    this._space();
    if (this._at < this._text.length) this._fail("the end");
    return value;
  }

  _value() {
    this._space();
    const next = this._text[this._at];
    if (next === "{") return this._object();
    if (next === "[") return this._array();
    if (next === '"' || next === "'") return this._string(next);
    return this._bare();
  }

  _object() {
    const found = {};
    this._list("}", () => {
      const quote = this._text[this._at];
      const name = quote === '"' || quote === "'" ? this._string(quote) : this._word();
      this._expect(":");
      // A plain assignment to __proto__ would set the prototype instead of a member.
      Object.defineProperty(found, name, { value: this._value(), enumerable: true, writable: true, configurable: true });
    });
    return found;
  }

  _array() {
    const found = [];
    this._list("]", () => found.push(this._value()));
    return found;
  }

  _list(end, item) {
    this._at += 1;
    for (;;) {
      this._space();
      if (this._text[this._at] === end) break;
      item();
      this._space();
      if (this._text[this._at] === ",") this._at += 1;
      else if (this._text[this._at] !== end) this._fail(`"," or "${end}"`);
    }
    this._at += 1;
  }

  _string(quote) {
    let body = "";
    for (this._at += 1; this._text[this._at] !== quote; this._at += 1) {
      if (this._at >= this._text.length) this._fail(`the closing ${quote}`);
      if (this._text[this._at] !== "\\") body += this._text[this._at];
      else body += this._escape();
    }
    this._at += 1;
    return body;
  }

  _escape() {
    this._at += 1;
    const letter = this._text[this._at];
    if (letter !== "u") return { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" }[letter] ?? letter ?? "";
    const code = this._text.slice(this._at + 1, this._at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(code)) this._fail("four hexadecimal digits");
    this._at += 4;
    return String.fromCharCode(parseInt(code, 16));
  }

  _bare() {
    const start = this._at;
    const word = this._word();
    const literals = { true: true, false: false, null: null };
    if (Object.hasOwn(literals, word)) return literals[word];
    if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(word)) return Number(word);
    this._at = start;
    return this._fail("a value");
  }

  _word() {
    const word = /^[\w$.+-]+/.exec(this._text.slice(this._at, this._at + 256))?.[0];
    if (!word) this._fail("a name");
    this._at += word.length;
    return word;
  }

  _expect(character) {
    this._space();
    if (this._text[this._at] !== character) this._fail(`"${character}"`);
    this._at += 1;
  }

  _space() {
    while (/\s/.test(this._text[this._at] ?? "")) this._at += 1;
  }

  _fail(expected) {
    const near = this._text.slice(this._at, this._at + 20);
    throw new SyntaxError(`expected ${expected} at character ${this._at + 1}, before ${JSON.stringify(near)}`);
  }
}
