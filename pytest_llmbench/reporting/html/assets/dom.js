// Making elements. Every text goes in as text: nothing here, or anywhere else, turns a string into markup.

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== "") element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== ""));
  return element;
};

const byId = (id) => document.getElementById(id);

const readBlock = (id) => {
  const block = byId(id);
  return block ? JSON.parse(block.textContent) : null;
};

/** The bulky blocks are gzip in base64 and are unpacked when somebody looks. */
const unpack = async (id) => {
  const text = readBlock(id);
  if (text === null) return null;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
};
