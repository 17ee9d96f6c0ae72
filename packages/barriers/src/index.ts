export type { RecipeOptions } from '@zookit/recipe-core';
