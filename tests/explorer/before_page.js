// Runs before the page's own script: notes every error, draws frames when asked, and has nothing move by itself.

window.watched = { problems: [], waiting: [] };
window.addEventListener("error", (event) => window.watched.problems.push(String(event.message)));
window.addEventListener("unhandledrejection", (event) => window.watched.problems.push(String(event.reason)));
for (const level of ["error", "warn"]) console[level] = (...words) => window.watched.problems.push(words.join(" "));
window.requestAnimationFrame = (draw) => window.watched.waiting.push(draw);
window.watched.drawn = () => {
  for (let i = 0; i < 1000 && window.watched.waiting.length; i++) window.watched.waiting.shift()(performance.now());
};
window.matchMedia = () => ({ matches: true });
