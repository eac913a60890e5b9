// Runs the page's mathematics on cases that Python has written: node twin.mjs ASSETS CASES, both paths.
//
// Prints one JSON array, an entry for each case {kind, ...}.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [assets, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${assets}/${name}.mjs`));
const [chain, settle, dose, accounts, course, data] = await Promise.all(
  ["chain", "settle", "dose", "accounts", "course", "data"].map(load),
);
const { tables, cases } = JSON.parse(readFileSync(file, "utf8"));
const networks = {};
const courses = {};

const answers = {
  chain(one) {
    const found = chain.solveChain(one);
    return {
      mean: found.posterior.map((each) => each.mean),
      variance: found.posterior.map((each) => each.variance),
      weight: found.weight,
      logEvidence: found.logEvidence,
      covariance: chain.chainCovariance(found),
    };
  },
  dose(one) {
    const found = dose.simulate(one.doses, one.times, tables.dose.compounds, tables.dose.body);
    const { names, ...curves } = found;
    const plain = (value) => Array.from(value, (row) => (typeof row === "number" ? row : Array.from(row)));
    return { names, ...Object.fromEntries(Object.entries(curves).map(([key, value]) => [key, plain(value)])) };
  },
  account(one) {
    const effects = { effect2a: one.effect2a, response1a: one.response1a, nmdaBlock: one.nmdaBlock };
    const acting = accounts.ACCOUNTS[one.account](effects, one.strength, tables.dose.anatomy);
    const solved = chain.solveChain({ ...one.chain, gains: acting.gains, slopes: acting.slopes });
    const activity = chain.chainActivity(solved, { priorMean: one.chain.priorMean, ...acting });
    return { ...acting, mean: activity.mean.slice(1), variance: activity.variance.slice(1), weight: solved.weight };
  },
  digit(one) {
    networks[one.network] ??= data.digitNetwork(tables.digits, one.network);
    const problem = settle.poseDigit(networks[one.network], one);
    const found = settle.settle(problem);
    return {
      residual: found.residual,
      energies: found.energies,
      top: Array.from(found.latents[3]),
      shapes: Array.from(found.latents[2]),
      deviations: settle.topDeviations(problem, found.latents),
    };
  },
  therapy(one) {
    courses[one.course] ??= data.decodeCourse(tables.therapy, one.course);
    const own = courses[one.course];
    const people = own.persons.map((person, index) =>
      course.followPerson({
        days: own.days,
        readings: own.readings,
        arm: own.arms[one.arm],
        chosen: own.chosen,
        luck: own.lucks[index],
        drug: data.drugOf(own, tables.therapy, { scale: one.scale, person: index, window: one.window }),
        person,
        numbers: tables.therapy.numbers,
        anatomy: tables.therapy.anatomy,
        account: one.account,
        strength: one.strength,
      }),
    );
    return {
      beliefs: people.map((each) => Array.from(each.beliefs)),
      logPrecisions: people.map((each) => Array.from(each.logPrecisions)),
    };
  },
  cdf: (one) => one.at.map(course.normalCdf),
};

console.log(JSON.stringify(cases.map((one) => answers[one.kind](one))));
