// Runs axe on the open page; evaluated after axe itself, once a page.
window.looks = (() => {
  // The rules that read computed colours. They take most of the time, so nothing is read twice that must come out the same.
  const COLOURS = ["color-contrast", "link-in-text-block"];
  // What they judge a text by: itself, and what it stands on.
  const TEXT = ["color", "fontSize", "fontWeight", "fontStyle", "textDecorationLine", "textShadow"];
  const GROUND = ["backgroundColor", "backgroundImage", "opacity", "position", "clip", "clipPath"];
  const NO_GROUND = ["rgba(0, 0, 0, 0)", "none", "1", "static", "auto", "none"].join();
  const EXEMPT = ":disabled, [aria-disabled=true], [aria-hidden=true], [inert]";
  // Every look of a text that this window has shown since it was opened.
  const known = new Set(JSON.parse(sessionStorage.getItem("looks") ?? "[]"));

  const hasText = (element) => {
    const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data);
    return /[\p{L}\p{N}]/u.test([...texts, element.value, element.placeholder].join());
  };

  // The elements whose text looks as none did before, with all that stands on the same ground.
  const changed = () => {
    const found = [];
    const walk = (element, ground, around) => {
      const style = getComputedStyle(element);
      if (style.display === "none") {
        return;
      }
      const own = GROUND.map((name) => style[name]).join().replace("relative", "static");
      const exempt = element.matches(EXEMPT) || Boolean(element.control?.disabled);
      const stands = own === NO_GROUND && !exempt ? ground : `${ground}>${own},${exempt}`;
      const text = TEXT.map((name) => style[name]).join();
      if (hasText(element) && element.checkVisibility({ visibilityProperty: true })) {
        const look = [stands, text, element.localName === "a" && around].join("|");
        if (!known.has(look)) {
          known.add(look);
          found.push(element);
        }
      }
      for (const child of element.children) {
        walk(child, stands, text);
      }
    };
    walk(document.documentElement, "", "");
    if (found.length > 0) {
      sessionStorage.setItem("looks", JSON.stringify([...known]));
    }
    return found;
  };

  const run = async (context, options) => {
    // What rules need from elsewhere (preload) is for media and style sheets of other hosts: there are none.
    const found = await axe.run(context, { resultTypes: ["violations"], preload: false, ...options });
    return found.violations.flatMap((fault) =>
      fault.nodes.map((node) => `${fault.id} (${fault.impact}): ${node.target} ${node.failureSummary}`),
    );
  };

  return {
    colours: async () => {
      const include = changed();
      return include.length > 0 ? run({ include }, { runOnly: { type: "rule", values: COLOURS } }) : [];
    },
    // With the sizes of what is pressed, where asked for: that is the slowest of these rules, and matters on a phone.
    structure: (sizes) => {
      // What sticks to the window covers something else wherever one scrolls to: it is at its own place at the top.
      scrollTo(0, 0);
      const rules = Object.fromEntries(COLOURS.map((rule) => [rule, { enabled: false }]));
      return run(document, { rules: { ...rules, "target-size": { enabled: sizes } } });
    },
  };
})();
