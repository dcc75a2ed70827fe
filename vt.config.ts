import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';
export default defineConfig({ resolve:{alias:[{ find: /^clusterset$/, replacement: `${import.meta.dirname}/src/index.ts` },{ find: /^clusterset\/(.+)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` }]}, test: { include: ['*.tmp.test.ts'] } });
void base;
