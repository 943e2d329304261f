/** The little Markdown that documentation is written in, as elements: code, fenced or not, and text. */

export function markdown(text: string): HTMLElement {
  const place = document.createElement("div");
  place.className = "said";
  text.split(/^```\w*\n([\s\S]*?)\n```$/m).forEach((part, at) => {
    if (part.trim() === "") return;
    const element = document.createElement(at % 2 === 1 ? "pre" : "p");
    if (at % 2 === 1) element.textContent = part;
    else element.append(...inline(part.trim()));
    place.append(element);
  });
  return place;
}

function inline(text: string): (string | HTMLElement)[] {
  return text.split(/`([^`\n]*)`/).map((part, at) => {
    if (at % 2 === 0) return part;
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}
