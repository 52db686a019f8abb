// Answers questions about filters, a line of JSON each. A filter that was asked before remembers it.
const { Filter } = require(process.argv[2]);

const filters = new Map();

function answer({ filter, root_id, config, request }) {
  try {
    if (!filters.has(filter)) filters.set(filter, new Filter(root_id, config));
    return JSON.parse(filters.get(filter).decide(request));
  } catch (error) {
    // A trap is no answer.
    if (error instanceof WebAssembly.RuntimeError) throw error;
    return { error: error.message };
  }
}

const questions = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
const answers = questions.map((line) => JSON.stringify(answer(JSON.parse(line))) + "\n");
require("fs").writeFileSync(1, answers.join(""));
