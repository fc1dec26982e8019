// Quizzes: show the explanation that belongs to the reader's choice or number, and count what is right.
document.addEventListener("DOMContentLoaded", () => {
  // A decimal point or comma, a fraction, a power of ten: 0.5, 0,5, 1/2, -3e-4.
  const number = (text) => {
    const parts = text.trim().replace(/,/g, ".").replace(/\u2212/g, "-").split("/");
    const values = parts.map((part) => (part.trim() === "" ? NaN : Number(part)));
    return values.length === 1 ? values[0] : values.length === 2 ? values[0] / values[1] : NaN;
  };

  const near = (found, wanted, field) => {
    const { absolute, tolerance } = field.dataset;
    const limit = absolute !== undefined ? Number(absolute) : Number(tolerance) * Math.abs(wanted);
    return Math.abs(found - wanted) <= limit + 1e-12;
  };

  const explanation = (form) => {
    const all = [...form.querySelectorAll(".ddgp-because")];
    if (form.dataset.kind === "choice") {
      const chosen = form.querySelector("input:checked");
      return chosen && all.find((one) => one.dataset.value === chosen.value);
    }
    const field = form.querySelector("input");
    const found = number(field.value);
    if (!Number.isFinite(found)) return null;
    const stated = all.filter((one) => one.dataset.value !== "otherwise");
    return stated.find((one) => near(found, Number(one.dataset.value), field)) ||
      all.find((one) => one.dataset.value === "otherwise");
  };

  const answer = (form, quiz) => {
    const verdict = form.querySelector(".ddgp-verdict");
    const because = explanation(form);
    const word = document.createElement("strong");
    if (!because) {
      delete form.dataset.right;
      word.textContent = form.dataset.kind === "choice" ? "Choose an answer first." : "Enter a number first, such as 0.25 or 1/4.";
      verdict.replaceChildren(word);
    } else {
      form.dataset.right = because.dataset.right;
      word.textContent = because.dataset.right === "true" ? "Right. " : "Not yet. ";
      const text = because.cloneNode(true);
      text.hidden = false;
      verdict.replaceChildren(word, text);
    }
    const right = quiz.querySelectorAll('form[data-right="true"]').length;
    quiz.querySelector(".ddgp-quiz-score").textContent = `${right} of ${quiz.dataset.count} right`;
  };

  for (const quiz of document.querySelectorAll(".ddgp-quiz")) {
    for (const form of quiz.querySelectorAll("form")) {
      form.querySelector("button").hidden = false;
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        answer(form, quiz);
      });
      form.addEventListener("input", () => {
        delete form.dataset.right;
        form.querySelector(".ddgp-verdict").replaceChildren();
      });
    }
  }
});
