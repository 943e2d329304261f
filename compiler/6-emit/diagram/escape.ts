/** Text from a program inside markup: whatever it holds, it stays text. */

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeMarkup(text: string): string {
  return (
    text
      // what XML cannot hold at all

      .replace(
        /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udfff](?![\udc00-\udfff])/gu,
        "\ufffd",
      )
      .replace(/[&<>"']/g, (character) => entities[character]!)
  );
}
