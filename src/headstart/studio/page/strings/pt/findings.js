// O que a inspeção encontra. Os tipos são os de inspection/findings.py.
export default {
  "finding.leak.title": "No treino e separadas", "finding.leak.text": "Uma foto que mede o classificador tem uma cópia entre aquelas de que ele aprende. A acurácia parece então melhor do que é.",
  "finding.shortcut.title": "Atalhos", "finding.shortcut.text": "Algo técnico, e não o que as fotos mostram, distingue as classes. Pode não valer para outras fotos.",
  "finding.possible grouping.title": "Possíveis grupos", "finding.possible grouping.text": "Várias fotos parecem mostrar uma só coisa. Se umas servem para aprender e outras para medir, a acurácia parece melhor do que é.",
  "finding.conflicting labels.title": "Cópias com dois rótulos", "finding.conflicting labels.text": "A mesma foto com dois rótulos: um deles está errado.",
  "finding.doubtful label.title": "Rótulos duvidosos", "finding.doubtful label.text": "Um classificador que não viu estas fotos tem certeza de que são de outra classe. Algumas têm rótulo errado, outras são apenas difíceis de reconhecer.",
  "finding.unreadable.title": "Ilegíveis", "finding.unreadable.text": "Arquivos que não podem ser decodificados. Ficam de fora.",
  "finding.same bytes.title": "Arquivos idênticos", "finding.same bytes.text": "O mesmo arquivo mais de uma vez. Todos ficam do mesmo lado das divisões.",
  "finding.same pixels.title": "Imagens idênticas", "finding.same pixels.text": "Arquivos diferentes que mostram exatamente os mesmos pixels.",
  "finding.nearly the same.title": "Quase cópias", "finding.nearly the same.text": "A mesma foto redimensionada, recomprimida, espelhada ou recortada, ou duas fotos em rápida sequência.",
  "finding.unlike its class.title": "Diferentes de todas", "finding.unlike its class.text": "Podem ser enganos, estar danificadas, ou ser raras e valiosas.",
  "finding.wrong ending.title": "Extensão errada", "finding.wrong ending.text": "Arquivos em formato diferente do que o nome diz. São lidos mesmo assim.",
  "finding.unusual colours.title": "Cores incomuns", "finding.unusual colours.text": "Cores ou transparência que a maioria das outras fotos não tem.",
  "finding.small.title": "Pequenas", "finding.small.text": "Fotos com tão poucos pixels que são ampliadas mais de duas vezes.",
  "finding.very oblong.title": "Muito alongadas", "finding.very oblong.text": "Longe de quadradas, de modo que esticá-las distorce o que mostram: experimente outro redimensionamento.",
};
