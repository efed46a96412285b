import sys
from pathlib import Path
from rag import llm, models, config, prompts
s=config.load(); s=s.model_copy(update={"llm":s.llm.model_copy(update={"adapter":sys.argv[1]})})
g=models.resolve(s.llm.model,kind="llm",settings=s.models)
m=llm.load_llm(s.llm,g)
S=["يُسمح بالتصوير في ورشة الخزف، إلا قرب الأفران حفاظًا على سلامة الزوار.","عمق المسبح الصغير 1.2 متر، والكبير 3.5 أمتار.","تُغلق المسابح يوم الاثنين للتنظيف."]
for q,l in (("How deep is the big pool?","en"),("May I take photos in the workshop?","en"),("كم عمق المسبح الصغير؟","ar"),("Who owns the pool?","en"),("When are the pools closed?","en")):
    ms=prompts.short(q,S,l); r=llm.whole(llm.stream(m,ms,60)); print(q,'→',r.text,r.usage,list(r.first.items())[-3:], llm.log_odds(m,prompts.checking(ms,r.text),"yes","no",60))
ms=prompts.translation(S[0],"en"); r=llm.whole(llm.stream(m,ms,60)); print(r.text)
