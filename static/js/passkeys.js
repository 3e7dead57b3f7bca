// Passkeys: a form with data-passkey asks an authenticator before it is sent. Without scripts it is sent as it is.
//   data-passkey="create" or "get"; data-options is where the question comes from, data-options-post: for the fields of the form
//   its fields "sealed" and "answer" take the question as the server sealed it, and the answer
(() => {
  "use strict";

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const known = (keys) => (keys || []).map((key) => ({ ...key, id: bytes(key.id) }));

  // Null where the server refuses the question: the form is sent then, and its answer says why.
  async function question(form) {
    const sent = form.hasAttribute("data-options-post") ? { method: "POST", body: new FormData(form) } : {};
    const answer = await fetch(form.dataset.options, { ...sent, headers: { Accept: "application/json" } });
    return answer.ok && !answer.redirected ? answer.json() : null;
  }

  function create(options) {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    };
    return navigator.credentials.create({ publicKey });
  }

  function get(options) {
    const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: known(options.allowCredentials) };
    return navigator.credentials.get({ publicKey });
  }

  function written(credential) {
    const response = {};
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].forEach((name) => {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    });
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {},
    });
  }

  async function ask(form, button) {
    const asked = await question(form);
    if (asked) {
      const credential = await (form.dataset.passkey === "create" ? create : get)(asked.options);
      form.elements.namedItem("sealed").value = asked.sealed;
      form.elements.namedItem("answer").value = written(credential);
    }
    form.dataset.answered = "";
    form.requestSubmit(button);
  }

  function onSubmit(event) {
    const form = event.target;
    if (!form.dataset.passkey || !window.PublicKeyCredential) return;
    if (form.dataset.answered !== undefined) {
      delete form.dataset.answered;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.dataset.asking !== undefined) return;
    form.dataset.asking = "";
    ask(form, event.submitter)
      .catch(() => window.lotus.trouble("No passkey answered. Nothing was sent; what you wrote is still here."))
      .finally(() => { delete form.dataset.asking; });
  }

  document.documentElement.classList.toggle("no-passkeys", !window.PublicKeyCredential);
  document.addEventListener("submit", onSubmit, true);
})();
