import { describe, expect, it } from 'vitest';
import { cardMarkdown } from '../../../../core/card/markdown.ts';
import { CARDS } from '../../../cards.ts';

it('a card in Markdown has each value, and who says it', () => {
  expect(cardMarkdown(CARDS.mlflow)).toMatchInlineSnapshot(`
    "# churn

    |  |  | by |
    | --- | --- | --- |
    | Task | classification | MLflow |
    | Licence | Apache-2.0 | card, MLflow |
    | Base | not known |  |
    | Owner | risk&#64;example.com | card |
    | Origin | churn version 3 of MLflow \\(champion\\), run 0a1b2c3d4e5f60718293a4b5c6d7e8f9, by ann |  |
    | Signed by | the key 0123456789ab… | verified when packaged |

    ## Data

    | data | used for | sha256 | by |
    | --- | --- | --- | --- |
    | churn-2026-11 | training | \`cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\` | file |
    | churn-eval | evaluation | not known |  |

    ## Metrics

    | metric | value | on | at least | by |
    | --- | --- | --- | --- | --- |
    | auc | 0.9134 | churn-eval | 0.88 | card, MLflow |
    | log\\_loss | 0.31 |  |  | MLflow |

    ## Inputs and outputs

    |  | name | type | shape |
    | --- | --- | --- | --- |
    | input | x | FP32 | \\[-1, 4\\] |
    | output | probabilities | FP32 | \\[-1, 2\\] |

    ## Artifact

    | file | bytes | sha256 |
    | --- | --- | --- |
    | model.onnx | 1234 | \`bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\` |

    ONNX opset 20, ONNX Runtime 1.30.0.
    "
  `);
});

it('what nobody knows is called so', () => {
  const page = cardMarkdown(CARDS.bare);
  expect(page).toContain('| Licence | not known |  |');
  expect(page).toContain('## Data\n\nNot known.');
  expect(page).toContain('## Metrics\n\nNot known.');
});

describe('texts of others', () => {
  const page = cardMarkdown(CARDS.hostile);
  it('stay text: no element, link, code, emphasis or further cell', () => {
    expect(page).not.toMatch(/[<>]/);
    expect(page).not.toMatch(/(^|[^\\])\[x\]/);
    expect(page).not.toMatch(/https?:\/\//);
    expect(page).not.toContain('@all');
    // A bar in a text would be one cell more.
    for (const table of page.split('\n\n').filter((part) => part.startsWith('|'))) {
      const widths = table.split('\n').map((row) => row.replaceAll('\\|', '').split('|').length);
      expect(new Set(widths).size, table).toBe(1);
    }
  });

  it('are no formula', () => {
    const card = { ...CARDS.bare.card, task: { value: 'costs $1, earns $2', from: ['card'] as const } };
    expect(cardMarkdown({ ...CARDS.bare, card })).toContain('| costs &#36;1, earns &#36;2 |');
  });

  it('are one line, and of a bounded length', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028]/);
    expect(page.length).toBeLessThan(12_000);
  });
});
